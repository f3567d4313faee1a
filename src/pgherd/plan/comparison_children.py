"""Children of another operator against ours, by kind: what counts as a difference (spec objects.md 5.5, 7, 8.3, 9.6,
10, 13, 14.1; lifecycle 2.5).

Like :mod:`pgherd.plan.comparison` used once, at the take-over. Foreign annotations do not count (quirk Q8), labels only
where the reference looks at them. Reasons name fields, never values.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pgherd.facts.config_and_storage import SecretObject
from pgherd.facts.event_streams import FabricEventStream
from pgherd.facts.secret import Secret
from pgherd.facts.services import Service
from pgherd.facts.view import View, fields
from pgherd.facts.workloads import CronJob, Deployment, PodDisruptionBudget, StatefulSet
from pgherd.plan.comparison import amounts, cleaned, container_differences, unordered
from pgherd.plan.steps import Manifest


def child_differences(live: View, manifest: Manifest) -> tuple[str, ...]:
    """Names of the fields that differ and count; empty when the object may be taken over without a change.

    The pod template of a StatefulSet is not looked at but for its annotations and the number of its volumes.
    """
    found = [*_metadata(live, manifest["metadata"])]
    compare = _BY_KIND.get(type(live))
    if compare is not None and any(key in manifest for key in ("spec", "data")):
        found += compare(live, manifest)
    return tuple(found)


def _metadata(live: View, wanted: Mapping[str, Any]) -> Iterator[str]:
    if {owner.uid for owner in live.metadata.owner_references} != {
        owner.get("uid") for owner in wanted.get("ownerReferences", ())
    }:
        yield "metadata.ownerReferences"
    yield from _annotations("metadata.annotations", live.metadata.annotations, wanted)


def _annotations(path: str, live: Mapping[str, str] | None, wanted: Mapping[str, Any]) -> Iterator[str]:
    for key, value in sorted((wanted.get("annotations") or {}).items()):
        if (live or {}).get(key) != value and not key.startswith("pgherd.io/"):
            yield f"{path}[{key}]"


def _statefulset(live: StatefulSet, manifest: Manifest) -> Iterator[str]:
    spec, template = manifest["spec"], fields(live.spec.template)
    if live.spec.replicas != spec["replicas"]:
        yield "spec.replicas"
    retained = {"whenDeleted": "Retain", "whenScaled": "Retain"}
    retention = {**retained, **fields(live.spec.persistent_volume_claim_retention_policy)}
    if retention != spec["persistentVolumeClaimRetentionPolicy"]:
        yield "spec.persistentVolumeClaimRetentionPolicy"
    annotations = (template.get("metadata") or {}).get("annotations")
    yield from _annotations("spec.template.metadata.annotations", annotations, spec["template"]["metadata"])
    volumes = (template.get("spec") or {}).get("volumes") or ()
    if len(volumes) != len(spec["template"]["spec"].get("volumes") or ()):
        yield "number of volumes"


def _service(live: Service, manifest: Manifest) -> Iterator[str]:
    spec = manifest["spec"]
    if live.spec.type != spec["type"]:
        yield "spec.type"
    if set(live.spec.load_balancer_source_ranges) != set(spec.get("loadBalancerSourceRanges") or ()):
        yield "spec.loadBalancerSourceRanges"
    if live.spec.selector != (spec.get("selector") or {}):
        yield "spec.selector"
    if spec["type"] != "ClusterIP" and live.spec.external_traffic_policy != spec.get("externalTrafficPolicy", ""):
        yield "spec.externalTrafficPolicy"
    port = spec["ports"][0].get("nodePort") or 0
    if port and (not live.spec.ports or live.spec.ports[0].node_port != port):
        yield "spec.ports[0].nodePort"


def _budget(live: PodDisruptionBudget, manifest: Manifest) -> Iterator[str]:
    spec = manifest["spec"]
    if live.spec.min_available != spec.get("minAvailable"):
        yield "spec.minAvailable"
    if live.spec.max_unavailable != spec.get("maxUnavailable"):
        yield "spec.maxUnavailable"
    if live.spec.selector.match_labels != spec["selector"]["matchLabels"]:
        yield "spec.selector"


def _secret(live: SecretObject, manifest: Manifest) -> Iterator[str]:
    """Lines of a pooler's user list have no order (quirk Q21)."""
    for key, value in sorted(manifest.get("data", {}).items()):
        text = value.reveal() if isinstance(value, Secret) else value
        wanted = Secret(base64.b64decode(text).decode("utf-8", "replace"))
        present = live.data.get(key) or Secret("")
        if sorted(present.reveal().splitlines()) != sorted(wanted.reveal().splitlines()):
            yield f"data[{key}]"


def _deployment(live: Deployment, manifest: Manifest) -> Iterator[str]:
    """Only what makes the reference write: all else would replace pooler pods for nothing (9.6).

    And what it never writes: capabilities, by which a manifest's wish for restricted pods is seen.
    """
    spec, template = manifest["spec"], fields(live.spec.template)
    if live.spec.replicas != spec["replicas"]:
        yield "spec.replicas"
    annotations = (template.get("metadata") or {}).get("annotations")
    yield from _annotations("spec.template.metadata.annotations", annotations, spec["template"]["metadata"])
    present, wanted = _first_container(template), spec["template"]["spec"]["containers"][0]
    if present.get("image") != wanted.get("image"):
        yield "container connection-pooler: image"
    for kind in ("requests", "limits"):
        pair = [amounts((one.get("resources") or {}).get(kind)) for one in (present, wanted)]
        if any(pair[0].get(name) != pair[1].get(name) for name in ("cpu", "memory")):
            yield f"container connection-pooler: {kind}"
    if cleaned(_capabilities(present)) != cleaned(_capabilities(wanted)):
        yield "container connection-pooler: capabilities"
    for name in ("PGUSER", "PGSCHEMA"):
        if _variable(present, name) != _variable(wanted, name):
            yield f"container connection-pooler: env {name}"


def _capabilities(container: Mapping[str, Any]) -> Any:
    return (container.get("securityContext") or {}).get("capabilities")


def _cron_job(live: CronJob, manifest: Manifest) -> Iterator[str]:
    present, wanted = fields(live.spec), manifest["spec"]
    for name in ("schedule", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        if present.get(name) != wanted[name]:
            yield f"spec.{name}"
    one, other = (spec.get("jobTemplate") or {} for spec in (present, wanted))
    if live.metadata.labels != manifest["metadata"].get("labels") or _labels(one) != _labels(other):
        yield "labels"
    if _of_job(one).get("ttlSecondsAfterFinished") != _of_job(other).get("ttlSecondsAfterFinished"):
        yield "spec.jobTemplate.spec.ttlSecondsAfterFinished"
    pods = [_of_job(job).get("template") or {} for job in (one, other)]
    annotations = (pods[0].get("metadata") or {}).get("annotations")
    yield from _annotations("annotations of the pod template", annotations, pods[1].get("metadata") or {})
    differences = container_differences(_first_container(pods[0]), _first_container(pods[1]), lazy=False)
    yield from (f"container logical-backup: {what}" for what in differences)


def _event_stream(live: FabricEventStream, manifest: Manifest) -> Iterator[str]:
    wanted = manifest["metadata"].get("labels") or {}
    if live.metadata.labels != wanted:
        yield "metadata.labels"
    if unordered(live.spec.streams) != unordered(manifest["spec"]["eventStreams"]):
        yield "spec.eventStreams"


def _labels(thing: Mapping[str, Any]) -> Any:
    return cleaned((thing.get("metadata") or {}).get("labels"))


def _of_job(job: Mapping[str, Any]) -> Mapping[str, Any]:
    return job.get("spec") or {}


def _first_container(template: Mapping[str, Any]) -> Mapping[str, Any]:
    containers: list[Mapping[str, Any]] = (template.get("spec") or {}).get("containers") or []
    return containers[0] if containers else {}


def _variable(container: Mapping[str, Any], name: str) -> Any:
    entry: Mapping[str, Any] = next((one for one in container.get("env") or () if one["name"] == name), {})
    return cleaned({key: value for key, value in entry.items() if key != "name"})


_BY_KIND: Mapping[type[Any], Callable[[Any, Manifest], Iterator[str]]] = {
    StatefulSet: _statefulset,
    Service: _service,
    PodDisruptionBudget: _budget,
    SecretObject: _secret,
    Deployment: _deployment,
    CronJob: _cron_job,
    FabricEventStream: _event_stream,
}
