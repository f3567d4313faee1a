"""Commands about one cluster or all of them; they work on any Kubernetes."""

from __future__ import annotations

from typing import Annotated

import typer

from pgherd.cli.invocation import Invocation, run
from pgherd.cli.output import Format

Name = Annotated[str, typer.Argument(help="Name of the cluster.", metavar="NAME", show_default=False)]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def get(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Names; all when none is given.")] = None,
    output: Output = Format.TABLE,
    everywhere: Annotated[bool, typer.Option("--all-namespaces", "-A", help="In all namespaces.")] = False,
) -> None:
    """List clusters, with the columns that kubectl shows."""
    from pgherd.cli import listing

    run(listing.show(_invocation(context), names or [], everywhere, output))


def status(context: typer.Context, name: Name, output: Output = Format.TABLE) -> None:
    """Show conditions, members, versions, addresses and what is held back."""
    from pgherd.cli import overview

    run(overview.show(_invocation(context), name, output))


def apply(
    context: typer.Context,
    files: Annotated[list[str], typer.Option("--filename", "-f", help="Manifest; - reads standard input.")],
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="Take over fields that other managers own.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Let the API server check; change nothing.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Send it in spite of faults that were found.")] = False,
) -> None:
    """Check manifests, then create or change what they describe."""
    from pgherd.cli import applying

    run(applying.apply(_invocation(context), files, applying.Manner(force_conflicts, dry_run, anyway)))


def delete(
    context: typer.Context,
    name: Name,
    yes: Yes = False,
    wait: Annotated[bool, typer.Option(help="Wait until its pods are gone.")] = True,
) -> None:
    """Delete a cluster, after asking."""
    from pgherd.cli import deletion

    run(deletion.delete(_invocation(context), name, yes=yes, wait=wait))


def logs(
    context: typer.Context,
    name: Name,
    member: Annotated[str, typer.Option(help="Number or name of a member; the primary when not given.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
    tail: Annotated[int | None, typer.Option(help="Only so many lines from the end.")] = None,
    previous: Annotated[bool, typer.Option(help="Of the container before its last restart.")] = False,
) -> None:
    """Print what a member writes."""
    from pgherd.cli import logs as logs_
    from pgherd.kube.client import LogOptions

    options = LogOptions(container=logs_.CONTAINER, follow=follow, tail=tail, previous=previous)
    run(logs_.show(_invocation(context), name, member, options))


def psql(
    context: typer.Context,
    name: Name,
    command: Annotated[str | None, typer.Option("--command", "-c", help="Run this and end.")] = None,
    database: Annotated[str, typer.Option("--dbname", "-d", help="Database.")] = "postgres",
    user: Annotated[str, typer.Option("--username", "-U", help="Role; the superuser when not given.")] = "",
    arguments: Annotated[list[str] | None, typer.Argument(help="After --: further arguments of psql.")] = None,
) -> None:
    """Open psql in the primary's pod."""
    from pgherd.cli import psql as psql_

    wanted = psql_.Psql(user, database, command, tuple(arguments or ()))
    raise typer.Exit(run(psql_.run(_invocation(context), name, wanted)))


def password(
    context: typer.Context,
    name: Name,
    user: Annotated[str, typer.Option("--username", "-U", help="Role; the superuser when not given.")] = "",
) -> None:
    """Print the password of a role: PGPASSWORD=$(pgherd password NAME)."""
    from pgherd.cli import password as password_

    run(password_.show(_invocation(context), name, user))


def plan(  # noqa: PLR0913 - the parameters of a command are its options
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the cluster; with --config all.", show_default=False)] = "",
    why: Annotated[bool, typer.Option("--why", help="Say the reason of each step and what differs.")] = False,
    output: Output = Format.TABLE,
    configuration: Annotated[
        str, typer.Option(help="The OperatorConfiguration, as NAMESPACE/NAME; found when there is one.")
    ] = "",
    config: Annotated[
        str, typer.Option("--config", help="File with a new configuration: what would each cluster undergo?")
    ] = "",
    against: Annotated[
        str, typer.Option(help="With --config: file with the present one, instead of the cluster's.")
    ] = "",
    files: Annotated[
        list[str] | None, typer.Option("--filename", "-f", help="With --config: manifests, instead of the cluster's.")
    ] = None,
) -> None:
    """Show what the operator would do now, or after a change of its configuration; nothing is changed."""
    if config:
        from pgherd.cli import configuration_change

        change = configuration_change.Change(config, against, files or (), name, configuration)
        run(configuration_change.show(_invocation(context), change, output, why=why))
        return
    if not name:
        raise typer.BadParameter("name a cluster, or a new configuration with --config", param_hint="NAME")
    from pgherd.cli import planning

    run(planning.show(_invocation(context), name, planning.Manner(why, output, configuration)))


def switchover(
    context: typer.Context,
    name: Name,
    to: Annotated[str, typer.Option(help="Number or name of the member that shall lead.")] = "",
    yes: Yes = False,
) -> None:
    """Hand the primary role to a replica, and wait until it takes writes."""
    from pgherd.cli import switchover as switchover_

    run(switchover_.switch(_invocation(context), name, to, yes=yes))


def add_to(app: typer.Typer) -> None:
    """Register the commands, in the order of ``--help``."""
    panel = {"rich_help_panel": "Clusters"}
    for command in (get, status, apply, delete, logs, psql, password, plan, switchover):
        app.command(**panel)(command)  # type: ignore[arg-type]


def _invocation(context: typer.Context) -> Invocation:
    found = context.obj
    assert isinstance(found, Invocation)
    return found
