"""Commands about the cluster of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgherd.cli.invocation import default_home
from pgherd.cli.output import Format

Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]

local = typer.Typer(help="The local cluster: its processes and its data.", no_args_is_help=True)


def up(
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--filename", "-f", help="First cluster, made when there is none yet; the example when not given."
        ),
    ] = None,
    address_range: Annotated[
        str | None,
        typer.Option(envvar="PGHERD_ADDRESS_RANGE", help="Loopback addresses for pods and services, as 127.64.0.0/16."),
    ] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Make no first cluster.")] = False,
) -> None:
    """Start a local Kubernetes, the operator and a first cluster; resume with the data that is there."""
    from pgherd.cli.local import starting

    starting.up(default_home(), starting.Wish(address_range, manifest, empty))


def down() -> None:
    """Stop everything that `up` started, pods too. The data stays."""
    from pgherd.cli.local import stopping

    stopping.down(default_home())


def status(output: Output = Format.TABLE) -> None:
    """Show the processes of the local cluster and where its things are."""
    from pgherd.cli.local import processes

    processes.show(default_home(), output)


def reset(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Stop everything and remove the data, after asking."""
    from pgherd.cli.local import stopping

    stopping.reset(default_home(), yes=yes)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="This machine")(up)
    app.command(rich_help_panel="This machine")(down)
    local.command()(status)
    local.command()(reset)
    app.add_typer(local, name="local", rich_help_panel="This machine")
