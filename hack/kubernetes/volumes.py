"""The default storage class: a folder on the node that the scheduler chose, as a static ``local`` volume.

``local`` and not ``hostPath``: the kubelet gives such a volume to the pod's ``fsGroup``. A grown claim gets its size
without more (a folder has no limit: sizes are promises here, nothing holds anyone to them).
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

from client import APPLY, MERGE, UNREACHABLE, call
from layout import MACHINES

PERIOD = 1.0
CLASS = "local"
PROVISIONER = "pgherd.io/local"
SELECTED = "volume.kubernetes.io/selected-node"
VOLUMES = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


def run() -> None:
    """Does not return; what fails is said and tried again."""
    while True:
        try:
            call("PATCH", f"{CLASSES}/{CLASS}?fieldManager={PROVISIONER}", storage_class(), APPLY)
            while True:
                once()
                time.sleep(PERIOD)
        except UNREACHABLE as error:
            print(f"volumes: {error}", file=sys.stderr, flush=True)
        time.sleep(PERIOD)


def once() -> None:
    """Make what is claimed, grow what has grown, remove what was released."""
    volumes = {volume["metadata"]["name"]: volume for volume in call("GET", VOLUMES)["items"]}
    for claim in call("GET", "/api/v1/persistentvolumeclaims")["items"]:
        name = f"pvc-{claim['metadata']['uid']}"
        node = claim["metadata"].get("annotations", {}).get(SELECTED)
        if claim["spec"].get("storageClassName") != CLASS or not node:
            continue
        if claim["status"]["phase"] == "Pending" and name not in volumes:
            made = volume(claim, name, node)
            (MACHINES[node].folder / "volumes" / name).mkdir(exist_ok=True)
            call("POST", VOLUMES, made)
        elif claim["status"]["phase"] == "Bound" and name in volumes:
            grow(claim, volumes[name])
    for name, found in volumes.items():
        if found["status"].get("phase") == "Released" and found["spec"]["storageClassName"] == CLASS:
            shutil.rmtree(found["spec"]["local"]["path"], ignore_errors=True)
            call("DELETE", f"{VOLUMES}/{name}")


def storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": PROVISIONER,
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def volume(claim: Any, name: str, node: str) -> dict[str, Any]:
    """The PersistentVolume for a claim."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    reference = {"kind": "PersistentVolumeClaim", "apiVersion": "v1"}
    reference |= {key: claim["metadata"][key] for key in ("namespace", "name", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": reference,
            "local": {"path": str(MACHINES[node].folder / "volumes" / name)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": CLASS,
            "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
        },
    }


def grow(claim: Any, found: Any) -> None:
    """The volume says the claim's size, then the claim's status does."""
    capacity = {"storage": claim["spec"]["resources"]["requests"]["storage"]}
    if found["spec"]["capacity"] != capacity:
        call("PATCH", f"{VOLUMES}/{found['metadata']['name']}", {"spec": {"capacity": capacity}}, MERGE)
    if claim["status"].get("capacity") != capacity:
        where = claim["metadata"]
        path = f"/api/v1/namespaces/{where['namespace']}/persistentvolumeclaims/{where['name']}/status"
        call("PATCH", path, {"status": {"capacity": capacity}}, MERGE)
