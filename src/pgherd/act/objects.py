"""Executors of the steps that write Kubernetes objects."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from pgherd.errors import AlreadyExists, Conflict, Invalid, NotFound
from pgherd.facts.belonging import CLUSTER, claimed_by
from pgherd.facts.instances import TEMPLATE_DIGEST
from pgherd.facts.services import Service
from pgherd.facts.view import View
from pgherd.facts.workloads import PodDisruptionBudget, StatefulSet
from pgherd.kube import adoption
from pgherd.kube.client import Kube, Preconditions, Selection
from pgherd.kube.resources import CLAIMS, PODS, Ref, resource_of
from pgherd.plan.secrets import without_content
from pgherd.plan.steps import Adopt, Apply, CreateSecret, Delete, ForgetState, Manifest, PatchObject
from pgherd.plan.surroundings import SHARED_KINDS


async def apply(kube: Kube, step: Apply) -> None:
    """Apply; what would be created must not exist as somebody else's.

    Raises Conflict when an object of this name exists without our labels, or selects other pods: it is never taken over
    silently.
    """
    manifest = step.manifest
    resource = resource_of(manifest["kind"])
    if not step.exists:
        live = await kube.find(resource.of(manifest))
        if manifest["kind"] in SHARED_KINDS:
            if live is None:
                await kube.create(resource, manifest)
            return
        if live is not None:
            _refuse_foreign(live, manifest)
            _refuse_other_pods(live, manifest)
    if step.takes_over:
        await adoption.adopt(kube, manifest)
    await kube.apply(resource, manifest)


async def adopt(kube: Kube, step: Adopt) -> None:
    """Pods first: what they were made from must be known before the former operator's StatefulSet is overwritten."""
    for name, uid in step.pods:
        marks = {"metadata": {"annotations": {TEMPLATE_DIGEST: step.digest}}}
        await _patch_only(kube, PODS.at(step.namespace, name), marks, uid)
    for one in step.adoptions:
        if one.as_it_is:
            await adoption.adopt_as_it_is(kube, one.manifest)
        else:
            await adoption.adopt(kube, one.manifest)
            await kube.apply(resource_of(one.manifest["kind"]), one.manifest)


async def create_secret(kube: Kube, step: CreateSecret) -> None:
    """Create, then apply what is kept up later, so that the next look has nothing to do.

    A Secret that exists keeps its content and gets our labels, so that the next look finds it. Raises Conflict then:
    the rest of this plan was made with a password that is not the role's.
    """
    resource = resource_of("Secret")
    try:
        await kube.create(resource, step.manifest)
    except AlreadyExists:
        live = await kube.get(resource.of(step.manifest))
        _refuse_foreign(live, step.manifest)
        await kube.apply(resource, without_content(step.manifest))
        raise Conflict(
            f"{resource.of(step.manifest)} exists already; its password is taken in the next pass", code=409
        ) from None
    await kube.apply(resource, without_content(step.manifest))


async def delete(kube: Kube, step: Delete) -> None:
    """Delete exactly the object that was seen; when it is gone, or another one bears its name, nothing happens."""
    ref = resource_of(step.kind).at(step.namespace, step.name)
    try:
        await kube.delete(ref, Preconditions(uid=step.uid), propagation=step.propagation)
    except Conflict:
        return


async def forget_state(kube: Kube, step: ForgetState) -> None:
    """Delete exactly the objects that were seen.

    Raises Conflict while there is a claim of a member: its data may belong to that state.
    """
    member = re.compile(rf"pgdata-{re.escape(step.cluster)}-[0-9]+")
    for claim in await kube.list(CLAIMS, Selection(step.namespace)):
        if member.fullmatch(claim.metadata.name):
            raise Conflict(
                f"PersistentVolumeClaim {step.namespace}/{claim.metadata.name} exists without the labels of cluster "
                f"{step.cluster}; label it, or delete it if its data are not wanted",
                code=409,
                reason="" if claim.metadata.deleting else "ForeignObject",
            )
    for kind, name, uid in step.objects:
        await kube.delete(resource_of(kind).at(step.namespace, name), Preconditions(uid=uid))


async def patch_object(kube: Kube, step: PatchObject) -> None:
    """Merge patch; an object that is gone needs none. Raises Conflict when the object is another one than was seen."""
    ref = resource_of(step.kind).at(step.namespace, step.name)
    with suppress(NotFound):
        if step.uid:
            await _patch_only(kube, ref, step.patch, step.uid)
        else:
            await kube.patch(ref, step.patch, subresource=step.subresource, version=step.resource_version)


async def _patch_only(kube: Kube, ref: Ref[Any], patch: Manifest, uid: str) -> None:
    """Patch the object with this uid. Raises Conflict when another one bears its name now.

    A uid in the patch is a precondition; an API server refuses another one as a conflict, or as a field that cannot be
    changed.
    """
    try:
        await kube.patch(ref, {**patch, "metadata": {**patch.get("metadata", {}), "uid": uid}})
    except Invalid as refusal:
        live = await kube.get(ref)
        if live.metadata.uid == uid:
            raise
        raise Conflict(f"{ref} is another one than was seen; the next pass looks again", code=409) from refusal


def _refuse_foreign(live: View, manifest: Manifest) -> None:
    """An object without the labels of this cluster belongs to somebody; one without any labels was prepared for us."""
    claimed = claimed_by(live)
    if claimed and claimed != manifest["metadata"].get("annotations", {}).get(CLUSTER):
        metadata = manifest["metadata"]
        raise Conflict(
            f"{manifest['kind']} {metadata['namespace']}/{metadata['name']} belongs to cluster {claimed}; name the "
            f"role otherwise, or, if that cluster is gone, remove the annotation {CLUSTER}",
            code=409,
            reason="ForeignObject",
        )
    labels, wanted = live.metadata.labels, manifest["metadata"].get("labels", {})
    unlike = sorted(key for key in labels.keys() & wanted.keys() if labels[key] != wanted[key])
    if unlike or (labels and not labels.keys() & wanted.keys()):
        metadata = manifest["metadata"]
        raise Conflict(
            f"{manifest['kind']} {metadata['namespace']}/{metadata['name']} exists and belongs to somebody else "
            f"(labels {', '.join(unlike or sorted(labels))}); rename the cluster, or delete that object",
            code=409,
            reason="ForeignObject",
        )


def _refuse_other_pods(live: View, manifest: Manifest) -> None:
    """No cache showed it, so its labels name no cluster, yet it does its work for other pods than ours would.

    It is so for all that a cluster has when the label that names clusters (``cluster_name_label``) was changed.
    """
    match live:
        case Service():
            selected, wanted = live.spec.selector, manifest["spec"].get("selector") or {}
        case StatefulSet() | PodDisruptionBudget():
            selected, wanted = live.spec.selector.match_labels, manifest["spec"]["selector"]["matchLabels"]
        case _:
            return
    if selected and selected != wanted:
        metadata = manifest["metadata"]
        raise Conflict(
            f"{manifest['kind']} {metadata['namespace']}/{metadata['name']} exists and selects other pods "
            f"({', '.join(f'{key}={value}' for key, value in sorted(selected.items()))}); set cluster_name_label and "
            "cluster_labels back to what they were, or delete that object",
            code=409,
            reason="ForeignObject",
        )
