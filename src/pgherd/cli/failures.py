"""Errors → one message with its cure, and an exit code.

====  ===================================================================
0     done
1     refused or failed: the message says what and the cure
2     wrong use of the command line
3     no answer from the API server or from Patroni: trying again may help
70    an error of pgherd itself; ``PGHERD_DEBUG=1`` shows where
130   interrupted
====  ===================================================================

A command that runs another program (``psql``) ends with that program's code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

from pgherd.errors import PgherdError, Unreachable

FAILED, NO_ANSWER, INTERNAL, INTERRUPTED = 1, 3, 70, 130


def guarded(command: Callable[[], object]) -> int:
    """Run a command; its exit code."""
    try:
        command()
    except SystemExit as end:
        return _code(end)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough (``| head``); nothing more may be written, not even at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("PGHERD_DEBUG"):
            raise
        known = [one for one in _leaves(error) if isinstance(one, PgherdError)]
        for one in known[:1]:
            return _tell(str(one), NO_ANSWER if isinstance(one, Unreachable) else FAILED)
        first = next(_leaves(error))
        described = f"{type(first).__name__}: {first}".rstrip(": ")
        return _tell(f"internal error: {described}; PGHERD_DEBUG=1 shows where, please report it", INTERNAL)
    return 0


def _code(end: SystemExit) -> int:
    if isinstance(end.code, str):
        return _tell(end.code, FAILED)
    return int(end.code or 0)


def _tell(message: str, code: int) -> int:
    sys.stderr.write(f"pgherd: {message}\n")
    return code


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors inside an exception group, first to last; the error itself when it is none."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
