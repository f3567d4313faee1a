"""How a service is reached from outside (spec objects.md 5.2-5.4), for database and pooler services alike."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgherd.desired.annotations import Annotations, inherited_annotations
from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest, present
from pgherd.desired.names import Role, expand

_DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 58
_NOBODY = "127.0.0.1/32"


@dataclass(frozen=True)
class Exposure:
    """Answer to "what type of service": ``node_port`` 0 = Kubernetes chooses."""

    type: str
    node_port: int = 0


def exposure(ctx: Context, role: Role, *, pooler: bool = False) -> Exposure:
    """Node port first, then load balancer; the manifest's switch decides over the option.

    A fixed node port counts only together with the manifest's own switch.
    """
    subject = f"{role.value}_pooler" if pooler else role.value
    spec, options = ctx.postgresql.spec, ctx.config.load_balancer
    by_manifest = getattr(spec, f"enable_{subject}_node_port")
    if by_manifest if by_manifest is not None else getattr(options, f"enable_{subject}_node_port"):
        fixed = getattr(spec, f"{subject}_node_port") if by_manifest else 0
        return Exposure("NodePort", fixed or 0)
    balanced = getattr(spec, f"enable_{subject}_load_balancer")
    if balanced if balanced is not None else getattr(options, f"enable_{subject}_load_balancer"):
        return Exposure("LoadBalancer")
    return Exposure("ClusterIP")


def service_spec(ctx: Context, exposed: Exposure, port_name: str, selector: dict[str, str] | None) -> Manifest:
    """Return the ``spec`` of a service on port 5432."""
    spec: Manifest = {"type": exposed.type}
    if exposed.type != "ClusterIP":
        spec["externalTrafficPolicy"] = ctx.config.load_balancer.external_traffic_policy
    if exposed.type == "LoadBalancer":
        # Open to nobody unless the manifest says to whom.
        spec["loadBalancerSourceRanges"] = list(ctx.postgresql.spec.allowed_source_ranges or ()) or [_NOBODY]
    port = {"name": port_name, "port": 5432, "targetPort": 5432, "nodePort": exposed.node_port or None}
    return present({**spec, "selector": selector, "ports": [present(port)]})


def service_annotations(ctx: Context, role: Role, exposed: Exposure, *, pooler: bool = False) -> Annotations:
    """``SVC(r) ⊕ INH``; the DNS name beats the service annotations of manifest and configuration."""
    spec = ctx.postgresql.spec
    by_role = spec.master_service_annotations if role is Role.MASTER else spec.replica_service_annotations
    annotations = {
        **ctx.config.load_balancer.custom_service_annotations,
        **(spec.service_annotations or {}),
        **(by_role or {}),
    }
    hosts = _host_names(ctx, role, pooler=pooler) if exposed.type == "LoadBalancer" else ""
    if hosts:
        annotations["external-dns.alpha.kubernetes.io/hostname"] = hosts
    return {**annotations, **inherited_annotations(ctx)}


def _host_names(ctx: Context, role: Role, *, pooler: bool) -> str:
    """One name, or two separated by a comma; an emptied template gives none."""
    options = ctx.config.load_balancer
    cluster = f"{ctx.name}-pooler" if pooler else ctx.name
    values = {"namespace": ctx.namespace, "team": ctx.team, "hostedzone": options.db_hosted_zone}
    template = options.master_dns_name_format if role is Role.MASTER else options.replica_dns_name_format
    names = [expand(template, cluster=cluster, **values)]
    short = None if pooler else _name_without_team(ctx)
    if short is not None:
        del values["namespace"]
        legacy = (
            options.master_legacy_dns_name_format if role is Role.MASTER else options.replica_legacy_dns_name_format
        )
        names.append(expand(legacy, cluster=short, **values))
    return ",".join(filter(None, names)).lower()


def _name_without_team(ctx: Context) -> str | None:
    """The second, older host name exists when the name of the cluster starts with its team."""
    prefix = f"{ctx.team}-".lower()
    rest = ctx.name[len(prefix) :]
    if not ctx.team or not rest or not ctx.name.lower().startswith(prefix):
        return None
    return rest if len(ctx.name) <= _LONGEST_NAME and _DNS_LABEL.fullmatch(ctx.name) else None
