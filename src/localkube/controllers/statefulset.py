"""StatefulSets: numbered pods with claims of their own.

Rules from the Kubernetes documentation ("StatefulSets"): with OrderedReady pod N+1 is made only when 0…N are ready and
a scale-down goes from the top, one at a time; with Parallel all at once. OnDelete never replaces a pod, RollingUpdate
does from the top, one at a time, each after the higher ones are ready. Pods that fit and have no controller are taken
over. A revision is a hash of the template; a pod carries that of the template it was made from. There are no
ControllerRevision objects: nothing rolls back.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from localkube.api import Api, Event, Object, Status
from localkube.controllers.loop import Key, control
from localkube.controllers.recorder import Recorder

REVISION = "controller-revision-hash"
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
RESOURCE = "statefulsets.apps"


async def run(api: Api) -> None:
    controller = StatefulSets(api, Recorder(api, "statefulset-controller"))
    await control(api, (RESOURCE, "pods", "persistentvolumeclaims"), _keys, controller.reconcile)


def _keys(event: Event) -> Iterable[Key]:
    meta = event.object["metadata"]
    if event.resource == RESOURCE:
        yield meta["namespace"], meta["name"]
    if event.resource == "pods":
        yield meta["namespace"], meta["name"].rpartition("-")[0]


def revision(template: Object) -> str:
    text = json.dumps(template, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def is_going(pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


@dataclass
class StatefulSets:
    api: Api
    recorder: Recorder

    def reconcile(self, key: Key) -> None:
        try:
            owner = self.api.get(RESOURCE, *key)
        except Status as status:
            if status.code == 404:
                return
            raise
        pods = self._pods(owner)
        if not owner["metadata"].get("deletionTimestamp"):
            self._keep_claims(owner)
            self._act(owner, pods)
            pods = self._pods(owner)
        self._write_status(owner, pods)

    def _pods(self, owner: Object) -> dict[int, Object]:
        """The pods of this set by ordinal."""
        meta = owner["metadata"]
        prefix = f"{meta['name']}-"
        found = {}
        for pod in self.api.list("pods", meta["namespace"], labels=owner["spec"]["selector"].get("matchLabels")):
            references = pod["metadata"].get("ownerReferences") or []
            controllers = [ref["uid"] for ref in references if ref.get("controller")]
            name = pod["metadata"]["name"]
            if not name.startswith(prefix) or not name.removeprefix(prefix).isdigit():
                continue
            if not controllers and not is_going(pod) and not is_going(owner):
                adopted = {"metadata": {"ownerReferences": [*references, _reference(owner)]}}
                pod = self.api.patch("pods", meta["namespace"], name, adopted)
                controllers = [meta["uid"]]
            if meta["uid"] in controllers:
                found[int(name.removeprefix(prefix))] = pod
        return found

    def _act(self, owner: Object, pods: dict[int, Object]) -> None:
        """Do what may be done now; the next event brings the next step."""
        spec = owner["spec"]
        first = (spec.get("ordinals") or {}).get("start", 0)
        wanted = range(first, first + spec.get("replicas", 1))
        ordered = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
        for ordinal in wanted:
            pod = pods.get(ordinal)
            if pod and (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded") and not is_going(pod):
                self._delete(owner, pod)
            elif not pod:
                self._create(owner, ordinal)
            if ordered and not (pod and is_ready(pod) and not is_going(pod)):
                return
        surplus = sorted((ordinal for ordinal in pods if ordinal not in wanted), reverse=True)
        for ordinal in surplus:
            if not is_going(pods[ordinal]):
                self._delete(owner, pods[ordinal])
            if ordered:
                return
        if not surplus:
            self._roll(owner, {ordinal: pods[ordinal] for ordinal in wanted if ordinal in pods})

    def _roll(self, owner: Object, pods: dict[int, Object]) -> None:
        """Replace the highest outdated pod, if all above it are ready again."""
        strategy = owner["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        update = revision(owner["spec"]["template"])
        for ordinal in sorted(pods, reverse=True):
            pod = pods[ordinal]
            if (
                ordinal >= partition
                and pod["metadata"]["labels"].get(REVISION) != f"{owner['metadata']['name']}-{update}"
            ):
                if not is_going(pod):
                    self._delete(owner, pod)
                return
            if is_going(pod) or not is_ready(pod):
                return

    def _create(self, owner: Object, ordinal: int) -> None:
        meta, spec = owner["metadata"], owner["spec"]
        name = f"{meta['name']}-{ordinal}"
        template = copy.deepcopy(spec["template"])
        volumes = []
        for claim in spec.get("volumeClaimTemplates") or []:
            claim_name = f"{claim['metadata']['name']}-{name}"
            self._create_claim(owner, claim, claim_name)
            volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim_name}})
        ours = {volume["name"] for volume in volumes}
        others = [volume for volume in template["spec"].get("volumes") or [] if volume["name"] not in ours]
        template["spec"] |= {"volumes": [*others, *volumes], "hostname": name}
        if spec.get("serviceName"):
            template["spec"]["subdomain"] = spec["serviceName"]
        labels = (template.get("metadata") or {}).get("labels") or {}
        labels |= {POD_NAME: name, POD_INDEX: str(ordinal), REVISION: f"{meta['name']}-{revision(spec['template'])}"}
        pod: Object = {
            "metadata": {
                "name": name,
                "namespace": meta["namespace"],
                "labels": labels,
                "annotations": (template.get("metadata") or {}).get("annotations") or {},
                "ownerReferences": [_reference(owner)],
            },
            "spec": template["spec"],
        }
        try:
            self.api.create("pods", pod)
        except Status as status:
            if status.reason != "AlreadyExists":
                message = f"create Pod {name} in StatefulSet {meta['name']} failed error: {status.message}"
                self.recorder.record(owner, "FailedCreate", message, warning=True)
            raise
        message = f"create Pod {name} in StatefulSet {meta['name']} successful"
        self.recorder.record(owner, "SuccessfulCreate", message)

    def _create_claim(self, owner: Object, template: Object, name: str) -> None:
        meta = owner["metadata"]
        labels = (template["metadata"].get("labels") or {}) | (owner["spec"]["selector"].get("matchLabels") or {})
        claim: Object = {
            "metadata": {
                "name": name,
                "namespace": meta["namespace"],
                "labels": labels,
                "annotations": template["metadata"].get("annotations") or {},
            },
            "spec": copy.deepcopy(template["spec"]),
        }
        try:
            self.api.create("persistentvolumeclaims", claim)
        except Status as status:
            if status.reason != "AlreadyExists":
                raise

    def _keep_claims(self, owner: Object) -> None:
        """persistentVolumeClaimRetentionPolicy: whoever's end is to delete a claim becomes its owner."""
        meta, spec = owner["metadata"], owner["spec"]
        policy = spec.get("persistentVolumeClaimRetentionPolicy") or {}
        when_deleted = policy.get("whenDeleted", "Retain") == "Delete"
        when_scaled = policy.get("whenScaled", "Retain") == "Delete"
        first = (spec.get("ordinals") or {}).get("start", 0)
        names = {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates") or []}
        for claim in self.api.list("persistentvolumeclaims", meta["namespace"]) if names else []:
            stem, _, ordinal = claim["metadata"]["name"].rpartition("-")
            if not ordinal.isdigit() or stem not in {f"{name}-{meta['name']}" for name in names}:
                continue
            references = claim["metadata"].get("ownerReferences") or []
            pod_name = f"{meta['name']}-{ordinal}"
            kept = [ref for ref in references if ref["uid"] != meta["uid"] and ref["name"] != pod_name]
            surplus = not first <= int(ordinal) < first + spec.get("replicas", 1)
            if when_scaled and surplus:
                kept += [ref for ref in references if ref["name"] == pod_name] or self._pod_reference(meta, pod_name)
            elif when_deleted:
                kept.append(_reference(owner))
            if kept != references:
                patch = {"metadata": {"ownerReferences": kept}}
                self.api.patch("persistentvolumeclaims", meta["namespace"], claim["metadata"]["name"], patch)

    def _pod_reference(self, meta: Object, pod_name: str) -> list[Object]:
        try:
            uid = self.api.get("pods", meta["namespace"], pod_name)["metadata"]["uid"]
        except Status:
            return []
        return [{"apiVersion": "v1", "kind": "Pod", "name": pod_name, "uid": uid}]

    def _delete(self, owner: Object, pod: Object) -> None:
        meta = pod["metadata"]
        self.api.delete("pods", meta["namespace"], meta["name"], uid=meta["uid"])
        message = f"delete Pod {meta['name']} in StatefulSet {owner['metadata']['name']} successful"
        self.recorder.record(owner, "SuccessfulDelete", message)

    def _write_status(self, owner: Object, pods: dict[int, Object]) -> None:
        meta, spec = owner["metadata"], owner["spec"]
        before = owner.get("status") or {}
        update = f"{meta['name']}-{revision(spec['template'])}"
        live = [pod for pod in pods.values() if not is_going(pod)]
        ready = [pod for pod in live if is_ready(pod)]
        updated = [pod for pod in live if pod["metadata"]["labels"].get(REVISION) == update]
        current = before.get("currentRevision") or update
        if len(updated) == len(live) == spec.get("replicas", 1) == len(ready):
            current = update
        status = {
            "observedGeneration": meta["generation"],
            "replicas": len(pods),
            "readyReplicas": len(ready),
            "availableReplicas": len(ready),
            "updatedReplicas": len(updated),
            "currentReplicas": sum(pod["metadata"]["labels"].get(REVISION) == current for pod in live),
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": 0,
        }
        if status != {key: before.get(key) for key in status}:
            self.api.patch(RESOURCE, meta["namespace"], meta["name"], {"status": status}, subresource="status")


def _reference(owner: Object) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
