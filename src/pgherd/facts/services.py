"""Views of how pods are reached: services and endpoints."""

from __future__ import annotations

import msgspec

from pgherd.facts.view import Part, View


class ServicePort(Part, frozen=True, kw_only=True):
    """``node_port`` is 0 when none is allocated."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"
    target_port: int | str = 0
    node_port: int = 0


class ServiceSpec(Part, frozen=True, kw_only=True):
    """``cluster_ip`` is ``None`` (the string) for a headless service."""

    type: str = "ClusterIP"
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    selector: dict[str, str] = {}
    ports: tuple[ServicePort, ...] = ()
    load_balancer_source_ranges: tuple[str, ...] = ()
    external_traffic_policy: str = ""


class Ingress(Part, frozen=True, kw_only=True):
    """One address of a load balancer."""

    ip: str = ""
    hostname: str = ""


class LoadBalancer(Part, frozen=True, kw_only=True):
    """``status.loadBalancer``."""

    ingress: tuple[Ingress, ...] = ()


class ServiceStatus(Part, frozen=True, kw_only=True):
    """Addresses given by the load balancer."""

    load_balancer: LoadBalancer = LoadBalancer()


class Service(View, frozen=True, kw_only=True):
    """``v1``."""

    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class EndpointAddress(Part, frozen=True, kw_only=True):
    """One address of a subset."""

    ip: str = ""
    node_name: str = ""
    target_ref: dict[str, str] = {}


class EndpointPort(Part, frozen=True, kw_only=True):
    """One port of a subset."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"


class EndpointSubset(Part, frozen=True, kw_only=True):
    """Every address with every port."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(View, frozen=True, kw_only=True):
    """``v1``: in endpoints mode also Patroni's state, in its annotations."""

    subsets: tuple[EndpointSubset, ...] = ()
