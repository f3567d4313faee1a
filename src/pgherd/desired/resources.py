"""Resource requests and limits of a container (spec objects.md part 2).

One algorithm for all containers; only the database container has thresholds. No bound ever rejects a manifest: a
value that breaks one is moved to it, and the caller may tell why (:class:`Adjustment`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from pgherd.api.quantity import canonical, is_unset, parse
from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest, present

_DEFAULTED = ("cpu", "memory")
_HUGE_PAGES = ("hugepages-2Mi", "hugepages-1Gi")

Amounts = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What fills a gap: four quantities as text, unset ones empty."""

    cpu_request: str | None = None
    memory_request: str | None = None
    cpu_limit: str | None = None
    memory_limit: str | None = None

    @property
    def requests(self) -> Mapping[str, str | None]:
        return {"cpu": self.cpu_request, "memory": self.memory_request}

    @property
    def limits(self) -> Mapping[str, str | None]:
        return {"cpu": self.cpu_limit, "memory": self.memory_limit}


@dataclass(frozen=True)
class Adjustment:
    """A limit that was raised to a configured minimum: worth a Warning event ``ResourceLimits``."""

    resource: str
    asked: str
    minimum: str

    def __str__(self) -> str:
        shown = self.asked or "not set"
        return f"{self.resource} limit ({shown}) is below the configured minimum and was raised to {self.minimum}"


@dataclass(frozen=True)
class Asked:
    """What a manifest asks for, by Kubernetes resource name, and where that stands in it."""

    requests: Mapping[str, str | None]
    limits: Mapping[str, str | None]
    path: str


def postgres_defaults(ctx: Context) -> Defaults:
    """``default_*``: of the database container, sidecars and the backup job."""
    section = ctx.config.postgres_pod_resources
    return Defaults(
        cpu_request=section.default_cpu_request,
        memory_request=section.default_memory_request,
        cpu_limit=section.default_cpu_limit,
        memory_limit=section.default_memory_limit,
    )


def container_resources(ctx: Context, asked: Asked, defaults: Defaults) -> Manifest:
    """Return ``resources`` of a container without thresholds."""
    requests, limits = _filled(ctx, asked, defaults)
    _raise_limits_to_requests(requests, limits)
    _raise_memory_request(ctx, requests, limits)
    return present({"requests": requests, "limits": limits})


def postgres_resources(ctx: Context) -> tuple[Manifest, tuple[Adjustment, ...]]:
    """Return ``resources`` of the database container, and the limits that had to be raised."""
    config = ctx.config.postgres_pod_resources
    requests, limits = _filled(ctx, asked_by(ctx.postgresql.spec.resources, "spec.resources"), postgres_defaults(ctx))
    thresholds = not ctx.exempt(ctx.config.ignore_resources_limits_annotation_key)
    adjustments: list[Adjustment] = []
    if thresholds:
        for name, configured in (("cpu", config.min_cpu_limit), ("memory", config.min_memory_limit)):
            minimum = _readable(ctx, configured or "0", f"configuration.postgres_pod_resources.min_{name}_limit")
            if parse(limits.get(name, "0")) < parse(minimum):
                adjustments.append(Adjustment(name, limits.get(name, ""), minimum))
                limits[name] = minimum
    _raise_limits_to_requests(requests, limits)
    _raise_memory_request(ctx, requests, limits)
    if thresholds:
        for name, maximum in (("cpu", config.max_cpu_request), ("memory", config.max_memory_request)):
            if _bounds(maximum) and name in requests and parse(requests[name]) > parse(maximum):
                requests[name] = canonical(maximum)
    return present({"requests": requests, "limits": limits}), tuple(adjustments)


def asked_by(section: object, path: str) -> Asked:
    """Read a manifest's ``resources`` section, which may be missing in part or altogether."""
    return Asked(
        _by_kubernetes_name(getattr(section, "requests", None)),
        _by_kubernetes_name(getattr(section, "limits", None)),
        path,
    )


def _by_kubernetes_name(half: object) -> Mapping[str, str | None]:
    return {
        "cpu": getattr(half, "cpu", None),
        "memory": getattr(half, "memory", None),
        "hugepages-2Mi": getattr(half, "hugepages_2mi", None),
        "hugepages-1Gi": getattr(half, "hugepages_1gi", None),
    }


def _filled(ctx: Context, asked: Asked, defaults: Defaults) -> tuple[Amounts, Amounts]:
    """Fill gaps, and give every amount a spelling that Kubernetes reads."""
    halves = []
    for half, wanted, default in (
        ("requests", asked.requests, defaults.requests),
        ("limits", asked.limits, defaults.limits),
    ):
        amounts = _fill(wanted, default)
        halves.append({name: _readable(ctx, text, f"{asked.path}.{half}.{name}") for name, text in amounts.items()})
    return halves[0], halves[1]


def _fill(asked: Mapping[str, str | None], defaults: Mapping[str, str | None]) -> Amounts:
    amounts: Amounts = {}
    for name in _DEFAULTED:
        value = asked.get(name)
        value = defaults[name] if is_unset(value) else value
        if value is not None and not is_unset(value):
            amounts[name] = value
    for name in _HUGE_PAGES:
        value = asked.get(name)
        if value is not None:
            amounts[name] = value
    return amounts


def _raise_limits_to_requests(requests: Amounts, limits: Amounts) -> None:
    for name in _DEFAULTED:
        if name in requests and name in limits and parse(limits[name]) < parse(requests[name]):
            limits[name] = requests[name]


def _raise_memory_request(ctx: Context, requests: Amounts, limits: Amounts) -> None:
    if not ctx.config.set_memory_request_to_limit or "memory" not in limits:
        return
    if parse(requests.get("memory", "0")) < parse(limits["memory"]):
        requests["memory"] = limits["memory"]


def _readable(ctx: Context, text: str, path: str) -> str:
    try:
        return canonical(text)
    except ValueError:
        raise ctx.fault(path, "is no Kubernetes quantity", cure="write it like 500m, 2 or 512Mi", value=text) from None


def _bounds(maximum: str | None) -> TypeGuard[str]:
    """No bound at all when the maximum is empty, 0 or unreadable."""
    try:
        return parse(maximum or "0") != 0
    except ValueError:
        return False
