"""What the tests of the API server share."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubectl import kubectl_path
from kubeservers import KubeServer, eventually, kube, kubernetes_server, localkube_server

__all__ = ["kube", "kubectl_path", "kubernetes_server", "localkube_server"]


@pytest.fixture
def namespace(kube: KubeServer) -> Iterator[str]:
    """A fresh one."""
    name = f"t-{uuid.uuid4().hex[:10]}"
    assert kube.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}}).code == 201
    yield name
    kube.call("DELETE", f"/api/v1/namespaces/{name}")


Kubectl = Callable[..., str]


@pytest.fixture
def kubectl(kube: KubeServer, kubectl_path: Path, namespace: str, tmp_path: Path) -> Kubectl:
    """``kubectl("get", "pods")`` in the test's namespace; ``stdin=`` feeds it, ``fails=True`` wants a failure."""

    def run(*words: str, stdin: str = "", fails: bool = False, editor: str = "false") -> str:
        command = [str(kubectl_path), "--kubeconfig", str(kube.kubeconfig), "-n", namespace, *words]
        home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KUBE_EDITOR": editor}
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, env=home, check=False)
        assert bool(done.returncode) == fails, f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    return run


@pytest.fixture
def crd(kube: KubeServer) -> Iterator[dict[str, str]]:
    """A CRD (plural widgets) of its own group: ``group``, ``api`` (GROUP/v1) and ``path`` (/apis/GROUP/v1)."""
    group = f"g{uuid.uuid4().hex[:8]}.test.io"
    body = widget_crd(group)
    assert kube.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body).code == 201
    eventually(lambda: kube.call("GET", f"/apis/{group}/v1/widgets").code == 200, "the CRD is served")
    yield {"group": group, "api": f"{group}/v1", "path": f"/apis/{group}/v1"}
    kube.call("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}")


def widget_crd(group: str) -> dict[str, object]:
    text = {"type": "string"}
    items = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": text, "v": {"type": "number", "default": 1.5}, "w": text},
        },
    }
    spec = {
        "type": "object",
        "required": ["team"],
        "properties": {
            "team": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z]+$"},
            "n": {"type": "integer", "minimum": 0, "maximum": 9, "default": 1, "format": "int32"},
            "mode": {"type": "string", "enum": ["a", "b"]},
            "ios": {"x-kubernetes-int-or-string": True},
            "list": {"type": "array", "maxItems": 2, "items": text},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "map": {"type": "object", "additionalProperties": text},
            "items": items,
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
            "nul": {"type": "string", "nullable": True},
            "when": {"type": "string", "format": "date-time"},
        },
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}},
        "additionalPrinterColumns": [
            {"name": "Team", "type": "string", "jsonPath": ".spec.team"},
            {"name": "N", "type": "integer", "jsonPath": ".spec.n"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ],
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "required": ["spec"],
                "properties": {
                    "spec": spec,
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        },
    }
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"], "categories": ["all"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
