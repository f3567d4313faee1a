"""What the restricted Pod Security Standard refuses in a pod (Kubernetes docs, "Pod Security Standards").

What a manifest asks for its own containers and volumes is kept, so a restricted namespace may refuse the pod; a person
hears it from us before Kubernetes says it to a StatefulSet, where nobody looks. A test asks a real API server the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pgherd.desired.manifest import Manifest

VOLUMES = frozenset(
    ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
)
_PROFILES = ("RuntimeDefault", "Localhost")
_SELINUX = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def violations(pod: Manifest) -> Iterator[str]:
    """One sentence for each thing that is refused in a pod's ``spec``, of containers and volumes."""
    for kind, title in (("initContainers", "init container"), ("containers", "container")):
        for container in pod.get(kind) or ():
            for what in _refused(container, pod.get("securityContext") or {}):
                yield f"{title} {container['name']}: {what}"
    for volume in pod.get("volumes") or ():
        kinds = sorted(volume.keys() - {"name"} - VOLUMES)
        if kinds:
            yield f"volume {volume['name']}: {', '.join(kinds)}"


def _refused(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[str]:
    own = container.get("securityContext") or {}
    effective = {**pod, **own}
    capabilities = own.get("capabilities") or {}
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if "ALL" not in (capabilities.get("drop") or ()):
        yield "capabilities are not all dropped"
    if added := sorted(set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}):
        yield f"capabilities {', '.join(added)}"
    if not effective.get("runAsNonRoot"):
        yield "runAsNonRoot is not true"
    if own.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if (effective.get("seccompProfile") or {}).get("type") not in _PROFILES:
        yield "seccompProfile is neither RuntimeDefault nor Localhost"
    yield from _refused_by_baseline(container, own)


def _refused_by_baseline(container: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    if (own.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield "appArmorProfile is Unconfined"
    labels = own.get("seLinuxOptions") or {}
    if labels.get("type", "") not in _SELINUX or labels.get("user") or labels.get("role"):
        yield "seLinuxOptions"
    if own.get("procMount", "Default") != "Default":
        yield "procMount"
    if any(port.get("hostPort") for port in container.get("ports") or ()):
        yield "hostPort"
    hooks = (container.get("lifecycle") or {}).values()
    for handler in (*(container.get(probe) or {} for probe in _PROBES), *hooks):
        if (handler.get("httpGet") or {}).get("host") or (handler.get("tcpSocket") or {}).get("host"):
            yield "host of a probe or lifecycle hook"
