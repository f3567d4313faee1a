"""How the operator of a cluster was started, as far as its pod tells: what it overrides the configuration with.

The pod is the holder of the operator's Lease. Where it cannot be seen (no rights, an operator outside of the cluster),
nothing is overridden here, and a remark says so where it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pgherd.api.startup import VARIABLES, overrides
from pgherd.cli.go_flags import switches
from pgherd.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from pgherd.cli.invocation import Session

LEASE = "pgherd"


@dataclass(frozen=True)
class Start:
    """``overrides``: option path → value; may hold a credential. ``remarks``: what is set and cannot be read here."""

    pod: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict, repr=False)
    remarks: tuple[str, ...] = ()


async def start_of_operator(session: Session, namespace: str) -> Start:
    """Of the operator that leads in this namespace; an empty start when nobody can be seen."""
    from pgherd.kube.resources import LEASES, PODS

    try:
        lease = await session.kube.get(LEASES.whole().at(namespace, LEASE))
        holder = str((lease.get("spec") or {}).get("holderIdentity") or "").partition("_")[0]
        if not holder:
            return Start()
        pod = await session.kube.get(PODS.whole().at(namespace, holder))
    except (Forbidden, NotFound):
        return Start()
    return start_of(pod)


def start_of(pod: Mapping[str, Any]) -> Start:
    """From the environment and the arguments of its containers."""
    environment: dict[str, str] = {}
    words: list[str] = []
    hidden: list[str] = []
    ours = {word.name: word for word in VARIABLES}
    for container in (pod.get("spec") or {}).get("containers") or ():
        words += [*(container.get("command") or ()), *(container.get("args") or ())]
        for entry in container.get("env") or ():
            name = str(entry.get("name"))
            value = _value(entry, pod)
            if value is not None:
                environment[name] = value
            elif name in ours and ours[name].option:
                hidden.append(f"{ours[name].option}: the operator takes it from {name}, whose value is not shown here")
    name = str((pod.get("metadata") or {}).get("name") or "")
    return Start(name, overrides(environment, switches(words)), tuple(hidden))


def _value(entry: Mapping[str, Any], pod: Mapping[str, Any]) -> str | None:
    """None where the value stands in a Secret or a ConfigMap."""
    source = entry.get("valueFrom")
    if not isinstance(source, Mapping):
        return str(entry.get("value") or "")
    if (source.get("fieldRef") or {}).get("fieldPath") == "metadata.namespace":
        return str((pod.get("metadata") or {}).get("namespace") or "")
    return None
