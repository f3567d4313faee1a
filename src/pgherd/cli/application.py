"""The tree of commands. Global options may stand before or after the command, as with kubectl."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pgherd.cli import commands_cluster, commands_local, commands_offline, commands_operator
from pgherd.cli.go_flags import unix_flags
from pgherd.cli.invocation import Invocation

GLOBAL_OPTIONS = {"--kubeconfig": "--kubeconfig", "--context": "--context", "--namespace": "--namespace", "-n": "-n"}

app = typer.Typer(
    name="pgherd",
    help="PostgreSQL clusters on Kubernetes: highly available, explainable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    context: typer.Context,
    kubeconfig: Annotated[Path | None, typer.Option(help="File with the credentials of a Kubernetes cluster.")] = None,
    kube_context: Annotated[str | None, typer.Option("--context", help="A context of the kubeconfig.")] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Namespace of the clusters.")] = None,
) -> None:
    """Read the global options."""
    context.obj = Invocation(kubeconfig, kube_context, namespace)


commands_cluster.add_to(app)
commands_offline.add_to(app)
commands_operator.add_to(app)
commands_local.add_to(app)


def hoisted(words: Sequence[str]) -> list[str]:
    """The words of a command line with the global options first; everything after ``--`` stays where it is."""
    first: list[str] = []
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == "--":
            rest += [word, *remaining]
        elif word in GLOBAL_OPTIONS:
            first += [word, *([value] if (value := next(remaining, None)) is not None else [])]
        elif word.partition("=")[0] in GLOBAL_OPTIONS and word.startswith("--"):
            first.append(word)
        else:
            rest.append(word)
    return first + rest


def application() -> None:
    """Run the command that the command line names."""
    app(hoisted(unix_flags(sys.argv[1:])), prog_name="pgherd")
