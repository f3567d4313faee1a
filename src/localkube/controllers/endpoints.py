"""Endpoints and EndpointSlices.

A service with a selector has the Endpoints of its pods. One without keeps the Endpoints that someone else writes:
Patroni holds its leader lock in their annotations, and a foreign write to that object demotes the primary, so they are
only read. Slices mirror the Endpoints in both cases. When a service goes, the Endpoints of its name go (Kubernetes does
the same).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from localkube.api import Api, Event, Object, Status
from localkube.controllers.loop import Key, control
from localkube.controllers.statefulset import is_going, is_ready

SLICES = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
OF_PODS, MIRRORED = "endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"


async def run(api: Api) -> None:
    controller = Endpoints(api)
    await control(api, ("services", "pods", "endpoints"), controller.keys, controller.reconcile)


@dataclass
class Endpoints:
    api: Api

    def keys(self, event: Event) -> Iterable[Key]:
        """("gone", …) for a service that went, else ("there", …): only the former may take Endpoints away."""
        namespace, name = event.object["metadata"]["namespace"], event.object["metadata"]["name"]
        if event.resource != "pods":
            gone = event.type == "DELETED" and event.resource == "services"
            yield "gone" if gone else "there", namespace, name
            return
        for service in self.api.list("services", namespace):
            if service["spec"].get("selector"):
                yield "there", namespace, service["metadata"]["name"]

    def reconcile(self, key: Key) -> None:
        what, namespace, name = key
        service = self._get("services", namespace, name)
        if service is None:
            if what == "gone" and self._get("endpoints", namespace, name):
                self.api.delete("endpoints", namespace, name)
            self._write_slices(namespace, name, [])
            return
        selector = service["spec"].get("selector")
        if selector and service["spec"].get("type") != "ExternalName":
            self._write(service, _subsets(service, self.api.list("pods", namespace, labels=selector)))
        endpoints = self._get("endpoints", namespace, name)
        self._write_slices(namespace, name, _slices(service, endpoints) if endpoints else [])

    def _get(self, resource: str, namespace: str, name: str) -> Object | None:
        try:
            return self.api.get(resource, namespace, name)
        except Status as status:
            if status.code == 404:
                return None
            raise

    def _write(self, service: Object, subsets: list[Object]) -> None:
        meta = service["metadata"]
        existing = self._get("endpoints", meta["namespace"], meta["name"])
        if existing is None:
            metadata = {"name": meta["name"], "namespace": meta["namespace"], "labels": meta.get("labels") or {}}
            self.api.create("endpoints", {"metadata": metadata, "subsets": subsets})
        elif (existing.get("subsets") or []) != subsets:
            self.api.patch("endpoints", meta["namespace"], meta["name"], {"subsets": subsets or None})

    def _write_slices(self, namespace: str, service: str, wanted: list[Object]) -> None:
        existing = {s["metadata"]["name"]: s for s in self.api.list(SLICES, namespace, labels={SERVICE_NAME: service})}
        for piece in wanted:
            name = piece["metadata"]["name"]
            old = existing.pop(name, None)
            if old is None:
                self.api.create(SLICES, piece)
            elif any(old.get(field) != piece[field] for field in ("endpoints", "ports")):
                change = {field: piece[field] for field in ("endpoints", "ports")}
                self.api.patch(SLICES, namespace, name, change)
        for name, old in existing.items():
            if old["metadata"]["labels"].get(MANAGED_BY) in (OF_PODS, MIRRORED):
                with contextlib.suppress(Status):
                    self.api.delete(SLICES, namespace, name)


def _subsets(service: Object, pods: list[Object]) -> list[Object]:
    """Pods that offer the same ports share a subset; a pod on its way out is in none."""
    everyone = bool(service["spec"].get("publishNotReadyAddresses"))
    groups: dict[tuple[tuple[str, int, str], ...], Object] = {}
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"])):
        status = pod.get("status") or {}
        leaving = is_going(pod) and not everyone
        if not status.get("podIP") or status.get("phase") in ("Succeeded", "Failed") or leaving:
            continue
        ports = tuple(_ports(service, pod))
        subset = groups.setdefault(ports, {})
        place = "addresses" if everyone or is_ready(pod) else "notReadyAddresses"
        subset.setdefault(place, []).append(_address(service, pod))
    return [
        {**subset, "ports": [{"name": name, "port": port, "protocol": protocol} for name, port, protocol in ports]}
        if ports
        else subset
        for ports, subset in groups.items()
    ]


def _ports(service: Object, pod: Object) -> Iterable[tuple[str, int, str]]:
    named = {
        port.get("name"): port["containerPort"] for c in pod["spec"]["containers"] for port in c.get("ports") or []
    }
    for port in service["spec"].get("ports") or []:
        target: Any = port.get("targetPort") or port["port"]
        number = named.get(target) if isinstance(target, str) and not target.isdigit() else int(target)
        if number:
            yield port.get("name", ""), number, port.get("protocol", "TCP")


def _address(service: Object, pod: Object) -> Object:
    meta = pod["metadata"]
    address: Object = {
        "ip": pod["status"]["podIP"],
        "nodeName": pod["spec"].get("nodeName", ""),
        "targetRef": {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
    }
    if pod["spec"].get("hostname") and pod["spec"].get("subdomain") == service["metadata"]["name"]:
        address["hostname"] = pod["spec"]["hostname"]
    return address


def _slices(service: Object, endpoints: Object) -> list[Object]:
    meta = service["metadata"]
    selected = bool(service["spec"].get("selector"))
    owner = ("v1", "Service", meta["uid"]) if selected else ("v1", "Endpoints", endpoints["metadata"]["uid"])
    pieces = []
    for number, subset in enumerate(endpoints.get("subsets") or []):
        digest = hashlib.sha256(f"{meta['uid']} {number}".encode()).hexdigest()[:5]
        ready = [_endpoint(address, True) for address in subset.get("addresses") or []]
        unready = [_endpoint(address, False) for address in subset.get("notReadyAddresses") or []]
        piece: Object = {
            "metadata": {
                "name": f"{meta['name']}-{digest}",
                "namespace": meta["namespace"],
                "labels": {SERVICE_NAME: meta["name"], MANAGED_BY: OF_PODS if selected else MIRRORED},
                "ownerReferences": [
                    {
                        "apiVersion": owner[0],
                        "kind": owner[1],
                        "name": meta["name"],
                        "uid": owner[2],
                        "controller": True,
                        "blockOwnerDeletion": True,
                    }
                ],
            },
            "addressType": "IPv4",
            "endpoints": ready + unready,
            "ports": [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or []],
        }
        pieces.append(piece)
    return pieces


def _endpoint(address: Object, ready: bool) -> Object:
    endpoint: Object = {
        "addresses": [address["ip"]],
        "conditions": {"ready": ready, "serving": ready, "terminating": False},
    }
    for field in ("hostname", "nodeName", "targetRef"):
        if address.get(field):
            endpoint[field] = address[field]
    return endpoint
