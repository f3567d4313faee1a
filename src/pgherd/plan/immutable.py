"""What Kubernetes does not change in a StatefulSet that exists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from pgherd.api.quantity import parse
from pgherd.facts.workloads import StatefulSet
from pgherd.plan.steps import Manifest


def immutable_difference(live: StatefulSet, manifest: Manifest) -> str:
    """Name of the first field that differs and cannot be changed in place; empty when there is none."""
    spec = manifest["spec"]
    pairs: Mapping[str, tuple[Any, Any]] = {
        "spec.selector": (live.spec.selector.match_labels, spec["selector"]["matchLabels"]),
        "spec.serviceName": (live.spec.service_name, spec["serviceName"]),
        "spec.podManagementPolicy": (live.spec.pod_management_policy, spec["podManagementPolicy"]),
        "spec.volumeClaimTemplates": (
            [_claim(template) for template in msgspec.json.decode(live.spec.volume_claim_templates)],
            [_claim(template) for template in spec["volumeClaimTemplates"]],
        ),
    }
    return next((field for field, (is_, wanted) in pairs.items() if is_ != wanted), "")


def _claim(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """What decides about a claim: without what the server adds, sizes as numbers (quirk Q24)."""
    metadata, spec = template["metadata"], template["spec"]
    return {
        "name": metadata["name"],
        "annotations": metadata.get("annotations") or {},
        "storage": parse(spec["resources"]["requests"]["storage"]),
        "class": spec.get("storageClassName") or "",
        "modes": spec.get("accessModes") or [],
        "selector": json.dumps(spec.get("selector") or {}, sort_keys=True),
    }


def with_live_claim_labels(live: StatefulSet, manifest: Manifest) -> Manifest:
    """The manifest with the claim templates' labels as they are: they matter to nobody, and cannot be changed in place.

    The reference does not compare them either (spec objects.md 14.1); a changed team would replace the StatefulSet.
    """
    spec = manifest["spec"]
    present = msgspec.json.decode(live.spec.volume_claim_templates)
    wanted = spec["volumeClaimTemplates"]
    if [_claim(template) for template in present] != [_claim(template) for template in wanted]:
        return manifest
    kept = [_with_labels(*pair) for pair in zip(wanted, present, strict=True)]
    return {**manifest, "spec": {**spec, "volumeClaimTemplates": kept}}


def _with_labels(wanted: Mapping[str, Any], present: Mapping[str, Any]) -> Manifest:
    metadata = {key: value for key, value in wanted["metadata"].items() if key != "labels"}
    labels = present["metadata"].get("labels")
    return {**wanted, "metadata": {**metadata, "labels": labels} if labels else metadata}
