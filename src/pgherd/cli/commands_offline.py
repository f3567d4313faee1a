"""Commands that need files only: what would be made of them, what is wrong with them, what they may say."""

from __future__ import annotations

from typing import Annotated

import typer

from pgherd.cli.invocation import run
from pgherd.cli.output import Format

Files = Annotated[
    list[str], typer.Option("--filename", "-f", help="Manifest or folder of manifests; - reads standard input.")
]
Config = Annotated[
    str, typer.Option("--config", help="File with the operator's configuration, an OperatorConfiguration or ConfigMap.")
]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]
Named = Annotated[
    str, typer.Option("--configuration", help="In the cluster: NAMESPACE/NAME, or configmap/NAMESPACE/NAME.")
]

config = typer.Typer(help="The operator's configuration: what counts, and its two forms.", no_args_is_help=True)


def render(files: Files, config: Config = "", output: Output = Format.YAML) -> None:
    """Print all objects that a manifest becomes, without a cluster."""
    from pgherd.cli import rendering

    rendering.render(files, config, str(output))


def validate(
    files: Files,
    config: Config = "",
    output: Output = Format.TABLE,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
) -> None:
    """Check manifests and configurations, without a cluster; 1 when something is wrong."""
    from pgherd.cli import validating

    raise typer.Exit(validating.validate(files, config, str(output), strict=strict))


def explain(
    path: Annotated[str, typer.Argument(help="As postgresql.spec.patroni.ttl, or the name of an option.")],
    config: Config = "",
    output: Output = Format.TABLE,
) -> None:
    """Explain a field or an option: type, default, what a change costs."""
    from pgherd.cli import explaining

    explaining.show(path, config, output)


def schema(kind: Annotated[str, typer.Argument(help="postgresql, OperatorConfiguration, PostgresTeam.")]) -> None:
    """Print the JSON Schema of a resource, for editors."""
    from pgherd.cli import explaining

    explaining.schema(kind)


def helm_values(
    file: Annotated[
        str, typer.Option("--filename", "-f", help="Values of the reference's chart; - reads standard input.")
    ],
) -> None:
    """Turn values of the Zalando operator's Helm chart into values of ours; what is lost is named."""
    from pgherd.cli import helm_values as helm_values_

    helm_values_.show(file)


@config.command()
def show(
    context: typer.Context,
    file: Config = "",
    name: Named = "",
    given: Annotated[bool, typer.Option("--given", help="Only what somebody decided.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show the effective value of each option and where it comes from; of the cluster when no file is given."""
    from pgherd.cli import configuration

    configuration.show(run(configuration.of_invocation(context.obj, file, name)), output, given=given)


@config.command()
def convert(
    context: typer.Context,
    file: Config = "",
    named: Named = "",
    to: Annotated[str, typer.Option(help="crd or configmap; the other form when not given.")] = "",
    name: Annotated[str, typer.Option(help="Name of the new object; that of the old one when not given.")] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="Print it although something is lost.")] = False,
) -> None:
    """Print the configuration in its other form, with the same meaning; what is lost is named."""
    from pgherd.cli import configuration

    if to not in ("", "crd", "configmap"):
        raise typer.BadParameter("write crd or configmap", param_hint="--to")
    found = run(configuration.of_invocation(context.obj, file, named))
    configuration.convert(found, to, name, anyway=anyway)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (render, validate, explain, schema):
        app.command(rich_help_panel="Manifests")(command)
    app.command("helm-values", rich_help_panel="Manifests")(helm_values)
    app.add_typer(config, name="config", rich_help_panel="Manifests")
