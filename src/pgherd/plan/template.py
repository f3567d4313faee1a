"""What only a new pod can take over: the digest of a pod template.

Invariant: two templates have the same digest exactly when a pod of the one need not be recreated for the other. So left
out are

* annotations, which are patched onto living pods (spec lifecycle 3.1);
* images, which are compared with the pod's own, because lazy upgrades exempt them (spec lifecycle 3.10);
* ``bootstrap.dcs`` inside ``SPILO_CONFIGURATION``, which reaches a living cluster through Patroni (spec lifecycle 3.1);
* the order of variables and mounts, and the spelling of quantities.

The digest stands in the template as an annotation, so every pod says by itself from which template it was made, and no
revision of anybody has to be remembered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from pgherd.api.quantity import parse
from pgherd.facts.instances import ROLLING_UPDATE_REASON, TEMPLATE_DIGEST, Instance
from pgherd.facts.view import fields
from pgherd.facts.workloads import StatefulSet
from pgherd.plan.steps import Manifest

_CONFIGURATION = "SPILO_CONFIGURATION"


def template_digest(template: Manifest) -> str:
    """Digest of a pod template: 32 hexadecimal digits."""
    spec = dict(template["spec"])
    for kind in ("containers", "initContainers"):
        spec[kind] = [_container(container) for container in spec.get(kind, [])]
    relevant = {"labels": template["metadata"].get("labels", {}), "spec": spec}
    return blake2b(json.dumps(relevant, sort_keys=True).encode(), digest_size=16).hexdigest()


def with_digest(statefulset: Manifest) -> Manifest:
    """The same StatefulSet whose pods say from which template they were made."""
    template = statefulset["spec"]["template"]
    metadata = template["metadata"]
    annotations = {**metadata.get("annotations", {}), TEMPLATE_DIGEST: template_digest(template)}
    marked = {**template, "metadata": {**metadata, "annotations": annotations}}
    return {**statefulset, "spec": {**statefulset["spec"], "template": marked}}


def is_written(live: StatefulSet, statefulset: Manifest) -> bool:
    """Whether a pod that is made now is made from the wanted template: it is stored, and its controller has seen it.

    A pod that goes before that may come back from the old template, or, while the StatefulSet is being replaced, not
    at all.
    """
    if live.metadata.deleting or live.status.observed_generation < live.metadata.generation:
        return False
    stored = {"spec": {"template": fields(live.spec.template)}}
    return template_of(stored) == template_of(statefulset) and images(stored) == images(statefulset)


def template_of(statefulset: Manifest) -> str:
    """The digest that the template of a StatefulSet carries; empty for one that another operator wrote."""
    metadata = statefulset["spec"]["template"].get("metadata") or {}
    return str((metadata.get("annotations") or {}).get(TEMPLATE_DIGEST, ""))


def images(statefulset: Manifest) -> dict[str, str]:
    """Container name → image of all containers of the template."""
    spec = statefulset["spec"]["template"]["spec"]
    containers = [*spec.get("containers", []), *spec.get("initContainers", [])]
    return {container["name"]: container["image"] for container in containers}


def outdated(instance: Instance, statefulset: Manifest, *, lazy: bool) -> str:
    """Why this pod must be made anew to be as the template wants it; empty when it need not.

    A pod without a digest was made by another operator; nothing is known against it. It gets the digest as soon as
    pgherd has written the StatefulSet (:mod:`pgherd.plan.annotations`), so that later changes reach it.
    """
    if instance.flagged:
        why = instance.annotations.get(ROLLING_UPDATE_REASON, "")
        return f"it carries the rolling update flag: {why}" if why else "it carries the rolling update flag"
    if instance.template and instance.template != template_of(statefulset):
        return "the pod template changed"
    if not lazy:
        for name, image in images(statefulset).items():
            if instance.images.get(name, image) != image:
                return f"the image of container {name} changed to {image}"
    return ""


def _container(container: Mapping[str, Any]) -> Manifest:
    relevant = {key: value for key, value in container.items() if key != "image"}
    if "env" in container:
        relevant["env"] = sorted((_variable(entry) for entry in container["env"]), key=lambda entry: str(entry["name"]))
    if "volumeMounts" in container:
        relevant["volumeMounts"] = sorted(container["volumeMounts"], key=lambda mount: str(mount["mountPath"]))
    if "resources" in container:
        relevant["resources"] = {
            kind: {name: str(parse(str(amount))) for name, amount in amounts.items()}
            if isinstance(amounts, Mapping)
            else amounts
            for kind, amounts in container["resources"].items()
        }
    return relevant


def _variable(entry: Mapping[str, Any]) -> Manifest:
    if entry["name"] != _CONFIGURATION or "value" not in entry:
        return dict(entry)
    try:
        configuration = json.loads(entry["value"])
        bootstrap = {key: value for key, value in configuration.get("bootstrap", {}).items() if key != "dcs"}
    except (ValueError, AttributeError):
        return dict(entry)
    return {"name": entry["name"], "value": {**configuration, "bootstrap": bootstrap}}
