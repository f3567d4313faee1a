"""Services, load balancers and their host names (api.md 3.4.7)."""

from __future__ import annotations

from typing import Literal

from pgherd.api.configuration.option import SAME, State, option
from pgherd.api.configuration.section import Section
from pgherd.api.types import StringMap


class LoadBalancer(Section):
    """Section ``load_balancer``."""

    db_hosted_zone: str = option("db.example.com", fallback=True)
    """Value of `{hostedzone}` in the DNS templates."""
    enable_master_load_balancer: bool = option(True, missing=False)
    """Type LoadBalancer for the master service unless the manifest says otherwise."""
    enable_master_pooler_load_balancer: bool = option(False)
    """Type LoadBalancer for the master pooler service unless the manifest says otherwise."""
    enable_replica_load_balancer: bool = option(False)
    """Type LoadBalancer for the replica service unless the manifest says otherwise."""
    enable_replica_pooler_load_balancer: bool = option(False)
    """Type LoadBalancer for the replica pooler service unless the manifest says otherwise."""
    enable_master_node_port: bool = option(False)
    """Type NodePort for the master service unless the manifest says otherwise; beats LoadBalancer. The port is chosen
    by Kubernetes.
    """
    enable_master_pooler_node_port: bool = option(False)
    """Type NodePort for the master pooler service unless the manifest says otherwise; beats LoadBalancer."""
    enable_replica_node_port: bool = option(False)
    """Type NodePort for the replica service unless the manifest says otherwise; beats LoadBalancer."""
    enable_replica_pooler_node_port: bool = option(False)
    """Type NodePort for the replica pooler service unless the manifest says otherwise; beats LoadBalancer."""
    custom_service_annotations: StringMap = option({})
    """Annotations of all database and pooler services; `serviceAnnotations` and the ones by role of a manifest win.
    """
    master_dns_name_format: str = option("{cluster}.{namespace}.{hostedzone}", schema_default=SAME, missing="")
    """Host name template for the master load balancer; placeholders `{cluster}`, `{namespace}`, `{team}`,
    `{hostedzone}`; result lower-cased.
    """
    master_legacy_dns_name_format: str = option(
        "{cluster}.{team}.{hostedzone}", schema_default=SAME, missing="", state=State.DEPRECATED
    )
    """Deprecated second host name, added after a comma when the cluster name starts with `<teamId>-`; `{cluster}` is
    then the name without that prefix. Placeholders `{cluster}`, `{team}`, `{hostedzone}`.
    """
    replica_dns_name_format: str = option("{cluster}-repl.{namespace}.{hostedzone}", schema_default=SAME, missing="")
    """Same as `master_dns_name_format` for the replica load balancer."""
    replica_legacy_dns_name_format: str = option(
        "{cluster}-repl.{team}.{hostedzone}", schema_default=SAME, missing="", state=State.DEPRECATED
    )
    """Same as `master_legacy_dns_name_format` for the replica load balancer."""
    external_traffic_policy: Literal["Cluster", "Local"] = option("Cluster", schema_default=SAME, fallback=True)
    """externalTrafficPolicy of LoadBalancer and NodePort services."""
