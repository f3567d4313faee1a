"""Names of the child objects (spec objects.md 1.1). They never change: clients, archives and volumes hang on them."""

from __future__ import annotations

from enum import StrEnum

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.desired.context import Context

#: Suffixes of the objects that Patroni makes for itself.
PATRONI_SUFFIXES = ("leader", "config", "sync", "failover")

#: Longest name of a CronJob: the controller appends 11 characters for each Job.
_CRONJOB_NAME_LIMIT = 52


class Role(StrEnum):
    """The two roles of a member, in the words of the labels."""

    MASTER = "master"
    REPLICA = "replica"


def expand(template: str, **values: str) -> str:
    """Replace every ``{placeholder}`` literally; an unknown placeholder stays as it is.

    A value is never expanded again, whatever braces it holds.
    """
    parts = template.split("{")
    expanded = [parts[0]]
    for part in parts[1:]:
        placeholder, brace, rest = part.partition("}")
        known = brace and placeholder in values
        expanded.append(values[placeholder] + rest if known else "{" + part)
    return "".join(expanded)


def service_name(ctx: Context, role: Role) -> str:
    return ctx.name if role is Role.MASTER else f"{ctx.name}-repl"


def secret_name(ctx: Context, role: str, cluster: str | None = None) -> str:
    """Name of the Secret of a database role, of this cluster or of the one that is named (a clone's source)."""
    return expand(
        ctx.config.kubernetes.secret_name_template,
        username=role.replace("_", "-"),
        cluster=cluster or ctx.name,
        tprkind="postgresql",
        tprgroup="acid.zalan.do",
    )


def superuser_secret(ctx: Context) -> str:
    return secret_name(ctx, ctx.config.users.super_username)


def primary_budget_name(cluster: str, config: OperatorConfiguration) -> str:
    return expand(config.kubernetes.pdb_name_format, cluster=cluster)


def critical_budget_name(cluster: str) -> str:
    return f"postgres-{cluster}-critical-op-pdb"


def pooler_name(ctx: Context, role: Role) -> str:
    return f"{ctx.name}-pooler" if role is Role.MASTER else f"{ctx.name}-pooler-repl"


def pooler_auth_secret(ctx: Context, role: Role) -> str:
    return f"{pooler_name(ctx, role)}-u"


def backup_job_name(cluster: str, config: OperatorConfiguration) -> str:
    prefix = config.logical_backup.logical_backup_job_prefix
    return f"{prefix}{cluster}"[:_CRONJOB_NAME_LIMIT].rstrip("-")
