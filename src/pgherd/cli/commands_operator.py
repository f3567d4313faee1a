"""Commands about the operator and about what it needs."""

from __future__ import annotations

from typing import Annotated

import typer

from pgherd.cli.invocation import run
from pgherd.cli.output import Format

Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]


def operate(  # noqa: PLR0913 - the parameters of a command are its options
    context: typer.Context,
    patience: Annotated[
        float, typer.Option(help="Seconds to wait for the API server and the configuration object to appear.")
    ] = 0.0,
    debug: Annotated[bool, typer.Option(help="Log more.")] = False,
    qps: Annotated[float, typer.Option("--kubeqps", min=1, help="Requests per second to the API server.")] = 50.0,
    burst: Annotated[int, typer.Option("--kubeburst", min=1, help="Requests that may come at once.")] = 100,
    listen: Annotated[
        str,
        typer.Option(
            envvar="PGHERD_LISTEN",
            metavar="ADDRESS:PORT",
            help="Where probes and metrics are served; :PORT is all addresses, port 0 a free one, off nowhere. "
            "By default the option api_port in a pod, else a free port on loopback.",
        ),
    ] = "",
    silence: Annotated[
        float,
        typer.Option(
            envvar="PGHERD_SILENCE",
            min=0,
            help="Seconds without a sign of life from the API server after which /healthz fails.",
        ),
    ] = 300.0,
    outofcluster: Annotated[bool, typer.Option("--outofcluster", help="Never use the account of a pod.")] = False,
    nodatabaseaccess: Annotated[
        bool, typer.Option("--nodatabaseaccess", help="Force enable_database_access to false.")
    ] = False,
    noteamsapi: Annotated[bool, typer.Option("--noteamsapi", help="Force enable_teams_api to false.")] = False,
) -> None:
    """Run the operator, with a kubeconfig or the service account of its pod."""
    from pgherd.cli import operating

    switches = {"outofcluster": outofcluster, "nodatabaseaccess": nodatabaseaccess, "noteamsapi": noteamsapi}
    flags = frozenset(name for name, on in switches.items() if on)
    manner = operating.Manner(debug=debug, qps=qps, burst=burst, listen=listen, silence=silence, flags=flags)
    operating.operate(context.obj, patience, manner)


def doctor(
    context: typer.Context,
    output: Output = Format.TABLE,
    machine: Annotated[bool, typer.Option("--machine/--no-machine", help="What pgherd up needs here.")] = True,
    cluster: Annotated[bool, typer.Option("--cluster/--no-cluster", help="What the operator needs there.")] = True,
) -> None:
    """Say what this machine or the Kubernetes cluster lacks."""
    from pgherd.cli import doctor as doctor_

    run(doctor_.show(context.obj, output, machine=machine, cluster=cluster))


def crd() -> None:
    """Print the CustomResourceDefinitions."""
    import sys

    import yaml

    from pgherd.api.crd import crds

    sys.stdout.write(yaml.safe_dump_all(crds(), sort_keys=False, allow_unicode=True))


def version(
    context: typer.Context,
    output: Output = Format.TABLE,
    client: Annotated[bool, typer.Option("--client", help="Do not ask the API server.")] = False,
) -> None:
    """Print the versions of pgherd and of the API server."""
    from pgherd.cli import versions

    run(versions.show(context.obj, output, client=client))


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("run", rich_help_panel="Operator")(operate)
    for command in (doctor, crd, version):
        app.command(rich_help_panel="Operator")(command)
