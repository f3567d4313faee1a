"""The tree of commands: quick to show its help, options anywhere, errors as one message."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from pgherd.cli.application import app, hoisted
from pgherd.cli.failures import guarded
from pgherd.errors import ManifestError, PgherdError, Unreachable

COMMANDS = ["get", "status", "apply", "delete", "logs", "psql", "password", "plan", "switchover", "run", "doctor"]
COMMANDS += [
    "crd",
    "version",
    "up",
    "down",
    "local",
    "render",
    "helm-values",
    "validate",
    "explain",
    "schema",
    "config",
]
HEAVY = ("psycopg", "kubernetes", "starlette", "aiohttp", "localkube", "pgherd.api", "pgherd.main")


def test_help_of_every_command_imports_nothing_heavy() -> None:
    program = f"""
import sys
from typer.testing import CliRunner
from pgherd.cli.application import app
several = [["local", "reset", "--help"], ["config", "show", "--help"]]
for words in [["--help"], *([name, "--help"] for name in {COMMANDS!r}), *several]:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, (words, result.output)
print(sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_list_of_commands_is_complete() -> None:
    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert sorted([*names, *(group.name for group in app.registered_groups if group.name)]) == sorted(COMMANDS)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("get -n team -o json", "-n team get -o json"),
        ("status a --namespace=b --kubeconfig c", "--namespace=b --kubeconfig c status a"),
        ("psql a -- -n b", "psql a -- -n b"),
        ("get -n", "-n get"),
    ],
)
def test_global_options_may_stand_anywhere(words: str, wanted: str) -> None:
    assert hoisted(words.split()) == wanted.split()


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (PgherdError("no such thing. Cure: make one"), 1, "pgherd: no such thing. Cure: make one\n"),
        (Unreachable("no answer"), 3, "pgherd: no answer\n"),
        (ExceptionGroup("tasks", [ManifestError("postgresql a", [])]), 1, "pgherd: postgresql a: \n"),
        (ZeroDivisionError("oh"), 70, "pgherd: internal error: ZeroDivisionError: oh; PGHERD_DEBUG=1 shows where"),
        (KeyboardInterrupt(), 130, ""),
        (SystemExit(2), 2, ""),
    ],
)
def test_an_error_is_one_message_and_a_code(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    assert guarded(command) == code
    told = capsys.readouterr().err
    assert told.startswith(message) if message else told == ""
    assert "Traceback" not in told


def test_wrong_use_is_code_2(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "pgherd.cli", "gett"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "gett" in done.stderr
    assert isinstance(app, typer.Typer)
