"""The reference's flags as Go takes them, written as everybody else writes them (spec api.md 3.8).

``-nodatabaseaccess``, ``--nodatabaseaccess=true`` and ``-kubeqps=5`` are all taken, so that the arguments of the
reference's Deployment start pgherd as they are. What they mean stands in :mod:`pgherd.api.startup`, which is slow to
import for a module that every command passes through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SWITCHES = frozenset({"outofcluster", "nodatabaseaccess", "noteamsapi"})
VALUED = frozenset({"kubeconfig", "kubeqps", "kubeburst"})
TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})

_FLAG = re.compile(r"--?([a-z]+)(?:=(.*))?", re.DOTALL)


def unix_flags(words: Iterable[str]) -> list[str]:
    """The command line with those flags written with two dashes; a switch that is off is left out.

    Everything else, and everything after ``--``, stays as it is.
    """
    out: list[str] = []
    rest = iter(words)
    for text in rest:
        if text == "--":
            return [*out, text, *rest]
        found = _FLAG.fullmatch(text)
        name, value = (found[1], found[2]) if found is not None else ("", None)
        if name in SWITCHES and value in TRUE | FALSE:
            out += [f"--{name}"] if value in TRUE else []
        elif name in SWITCHES | VALUED:
            out.append(f"--{text.lstrip('-')}")
        else:
            out.append(text)
    return out


def switches(words: Iterable[str]) -> frozenset[str]:
    """The switches that are on."""
    return frozenset(text.removeprefix("--") for text in unix_flags(words) if text.removeprefix("--") in SWITCHES)
