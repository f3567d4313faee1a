"""Pod templates of another operator against ours: may a living pod stay? (spec objects.md 0.2, 14.1, 14.2)

Used once in the life of a cluster, at its take-over; afterwards digests tell. Invariant: a reason is given exactly for
what the reference itself would make a pod anew for; all else is written without touching a pod. What the API server
fills in, the order of lists that have none, the spelling of quantities and ``bootstrap.dcs`` do not count.

Reasons name the place, never a value: environment variables may hold credentials.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pgherd.api.quantity import parse

Fields = Mapping[str, Any]

_CONFIGURATION = "SPILO_CONFIGURATION"
_PROBE_DEFAULTS = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def roll_reasons(live: Fields, wanted: Fields, *, lazy: bool) -> tuple[str, ...]:
    """Why pods of the ``live`` template must be made anew from the ``wanted`` one; empty when they may stay.

    Both are pod templates; ``lazy`` is the option ``enable_lazy_spilo_upgrade``: then images do not count.
    """
    return tuple(dict.fromkeys(_reasons(live, wanted, lazy=lazy)))


def _reasons(live: Fields, wanted: Fields, *, lazy: bool) -> Iterator[str]:
    if _labels(live) != _labels(wanted):
        yield "labels of the pod template"
    one, other = live.get("spec") or {}, wanted["spec"]
    for name in ("serviceAccountName", "terminationGracePeriodSeconds", "priorityClassName", "securityContext"):
        if cleaned(one.get(name)) != cleaned(other.get(name)):
            yield name
    for name in ("affinity", "topologySpreadConstraints"):
        if unordered(one.get(name)) != unordered(other.get(name)):
            yield name
    if len(one.get("tolerations") or ()) != len(other.get("tolerations") or ()):
        yield "number of tolerations"
    for kind, title in (("containers", "containers"), ("initContainers", "init containers")):
        pairs: tuple[Sequence[Fields], Sequence[Fields]] = (one.get(kind) or (), other.get(kind) or ())
        if len(pairs[0]) != len(pairs[1]):
            yield f"number of {title}"
            continue
        for left, right in zip(*pairs, strict=True):
            yield from (f"container {right['name']}: {what}" for what in container_differences(left, right, lazy=lazy))


def _labels(template: Fields) -> Fields:
    return (template.get("metadata") or {}).get("labels") or {}


def container_differences(live: Fields, wanted: Fields, *, lazy: bool) -> Iterator[str]:
    """Names of the parts in which two containers differ, and which count (14.2)."""
    if live.get("name") != wanted.get("name"):
        yield "name"
    if not lazy and live.get("image") != wanted.get("image"):
        yield "image"
    for name, changed in _CHECKS.items():
        if changed(live.get(name), wanted.get(name)):
            yield name
    yield from _environment(live.get("env") or (), wanted.get("env") or ())


def _environment(live: Sequence[Fields], wanted: Sequence[Fields]) -> Iterator[str]:
    """Of a name that is there twice the last counts, as in the container (quirk Q14)."""
    one, other = ({entry["name"]: entry for entry in entries} for entries in (live, wanted))
    for name in sorted(one.keys() | other.keys()):
        if name not in one or name not in other or _value(one[name]) != _value(other[name]):
            yield f"env {name}"


def _value(entry: Fields) -> Any:
    text = entry.get("value") or ""
    if entry["name"] == _CONFIGURATION:
        return without_dcs(text)
    if text:
        return text
    source = cleaned(entry.get("valueFrom")) or {}
    if "fieldRef" in source:
        source = {**source, "fieldRef": {"apiVersion": "v1", **source["fieldRef"]}}
    return source


def without_dcs(text: str) -> Any:
    """``SPILO_CONFIGURATION`` without what reaches a living cluster through Patroni; text that cannot be read as is."""
    try:
        configuration = json.loads(text)
        bootstrap = {key: value for key, value in configuration.get("bootstrap", {}).items() if key != "dcs"}
    except (ValueError, AttributeError):
        return text
    return cleaned({**configuration, "bootstrap": bootstrap})


def _ports(live: Any, wanted: Any) -> bool:
    return sorted(map(_port, live or ())) != sorted(map(_port, wanted or ()))


def _port(port: Fields) -> tuple[int, str, int, str, str]:
    host = (port.get("hostPort") or 0, port.get("hostIP") or "")
    return port["containerPort"], port.get("name") or "", *host, port.get("protocol") or "TCP"


def _resources(live: Any, wanted: Any) -> bool:
    """Limits alone do not count, as with the reference: "no requests" is compared with "no requests" only."""
    one, other = live or {}, wanted or {}
    if not one.get("requests") or not other.get("requests"):
        return bool(one.get("requests")) != bool(other.get("requests"))
    return any(amounts(one.get(kind)) != amounts(other.get(kind)) for kind in ("requests", "limits"))


def amounts(quantities: Any) -> Fields:
    """Quantities as numbers."""
    return {name: parse(str(amount)) for name, amount in (quantities or {}).items()}


def _mounts(live: Any, wanted: Any) -> bool:
    return bool(unordered(live) != unordered(wanted))


def _probe(live: Any, wanted: Any) -> bool:
    return bool(_complete_probe(live) != _complete_probe(wanted))


def _complete_probe(probe: Any) -> Any:
    found = cleaned(probe)
    if not found:
        return found
    found = {**_PROBE_DEFAULTS, **found}
    if "httpGet" in found:
        found["httpGet"] = {"scheme": "HTTP", **found["httpGet"]}
    if "grpc" in found:
        found["grpc"] = {"service": "", **found["grpc"]}
    return found


def _exact(live: Any, wanted: Any) -> bool:
    return bool(cleaned(live) != cleaned(wanted))


_CHECKS: Mapping[str, Callable[[Any, Any], bool]] = {
    "envFrom": _exact,
    "resources": _resources,
    "ports": _ports,
    "volumeMounts": _mounts,
    "securityContext": _exact,
    "readinessProbe": _probe,
    "livenessProbe": _probe,
}


def cleaned(value: Any) -> Any:
    """Without what is empty: nothing, ``[]``, ``{}`` and ``""`` say the same. ``None`` when nothing is left."""
    if isinstance(value, Mapping):
        found = {key: kept for key, member in value.items() if (kept := cleaned(member)) is not None}
        return found or None
    if isinstance(value, list | tuple):
        return [cleaned(item) for item in value] or None
    return None if value == "" else value


def unordered(value: Any) -> Any:
    """The same, and the order of lists does not count."""
    if isinstance(value, Mapping):
        found = {key: kept for key, member in value.items() if (kept := unordered(member)) is not None}
        return found or None
    if isinstance(value, list | tuple):
        items = [unordered(item) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) or None
    return None if value == "" else value
