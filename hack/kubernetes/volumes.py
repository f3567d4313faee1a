"""The default storage class: a folder on the node that the scheduler chose, as a static ``local`` volume.

``local`` and not ``hostPath``: the kubelet gives such a volume to the pod's ``fsGroup``. A grown claim gets its size
without more (a folder has no limit: sizes are promises here, nothing holds anyone to them).
"""

from __future__ import annotations

import http.client
import shutil
import sys
import time
from typing import Any

from client import Api, Refused
from layout import Home, machine_named
from objects import PROVISIONER

PERIOD = 1.0
SELECTED = "volume.kubernetes.io/selected-node"
VOLUMES = "/api/v1/persistentvolumes"


def run(home: Home) -> None:
    """Does not return; what fails is said and tried again."""
    api = Api(home.credentials / "volumes.kubeconfig")
    while True:
        try:
            once(api, home)
        except (Refused, OSError, http.client.HTTPException) as error:
            print(f"volumes: {error}", file=sys.stderr, flush=True)
        time.sleep(PERIOD)


def once(api: Api, home: Home) -> None:
    """Make what is claimed, grow what has grown, remove what was released."""
    volumes = {volume["metadata"]["name"]: volume for volume in api.call("GET", VOLUMES)["items"]}
    for claim in api.call("GET", "/api/v1/persistentvolumeclaims")["items"]:
        name = f"pvc-{claim['metadata']['uid']}"
        node = claim["metadata"].get("annotations", {}).get(SELECTED)
        if claim["spec"].get("storageClassName") != "local" or not node:
            continue
        if name not in volumes:
            if claim["status"].get("phase") == "Pending":
                (home.of(machine_named(node)) / "volumes" / name).mkdir(exist_ok=True)
                api.call("POST", VOLUMES, volume(home, claim, name, node))
        elif claim["status"].get("phase") == "Bound":
            grow(api, claim, volumes[name])
    for name, found in volumes.items():
        if found["status"].get("phase") == "Released" and found["spec"]["storageClassName"] == "local":
            shutil.rmtree(found["spec"]["local"]["path"], ignore_errors=True)
            api.call("DELETE", f"{VOLUMES}/{name}")


def volume(home: Home, claim: Any, name: str, node: str) -> dict[str, Any]:
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
            "local": {"path": str(home.of(machine_named(node)) / "volumes" / name)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": "local",
            "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
        },
    }


def grow(api: Api, claim: Any, found: Any) -> None:
    """The volume says the claim's size, then the claim's status does."""
    capacity = {"storage": claim["spec"]["resources"]["requests"]["storage"]}
    merge = "application/merge-patch+json"
    if found["spec"]["capacity"] != capacity:
        api.call("PATCH", f"{VOLUMES}/{found['metadata']['name']}", {"spec": {"capacity": capacity}}, merge)
    if claim["status"].get("capacity") != capacity:
        where = claim["metadata"]
        path = f"/api/v1/namespaces/{where['namespace']}/persistentvolumeclaims/{where['name']}/status"
        api.call("PATCH", path, {"status": {"capacity": capacity}}, merge)
