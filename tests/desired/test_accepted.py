"""A real API server takes every manifest by server-side apply, which sees more than a schema: names, references, keys.

Defaults and validation of Kubernetes are the judge here; nothing runs.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from desired.contexts import context
from desired.schemas import FOREIGN
from desired.test_examples import EXAMPLES
from desired.test_variations import contexts
from desired.variations import VARIATIONS
from golden.files import identity
from kubeservers import Answer, KubeServer
from pgherd.desired.children import desired_children
from pgherd.desired.endpoints import desired_adopted
from pgherd.desired.manifest import revealed
from pgherd.desired.service_account import desired_shared
from pgherd.facts import fingerprint

#: A template with an unknown placeholder, which stays, gives names that Kubernetes refuses; a person shall see that.
REFUSED = {"secret_name_template"}

PLURALS = {
    "ConfigMap": "configmaps",
    "CronJob": "cronjobs",
    "Deployment": "deployments",
    "Endpoints": "endpoints",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "RoleBinding": "rolebindings",
    "Secret": "secrets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
    "StatefulSet": "statefulsets",
}


def apply(server: KubeServer, manifest: dict[str, Any], namespace: str, *, dry: bool = False) -> Answer:
    """Server-side apply into a namespace, as pgherd writes, with unknown fields refused."""
    body = revealed(manifest)
    body = {**body, "metadata": {**body["metadata"], "namespace": namespace}}
    query = "fieldManager=pgherd&force=true&fieldValidation=Strict" + ("&dryRun=All" if dry else "")
    path = f"{object_path(manifest, namespace)}?{query}"
    return server.call("PATCH", path, json.dumps(body), Content_Type="application/apply-patch+yaml")


def object_path(manifest: dict[str, Any], namespace: str) -> str:
    prefix = "/api/v1" if manifest["apiVersion"] == "v1" else f"/apis/{manifest['apiVersion']}"
    return f"{prefix}/namespaces/{namespace}/{PLURALS[manifest['kind']]}/{manifest['metadata']['name']}"


def create_namespace(server: KubeServer, name: str) -> None:
    assert server.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}}).code in (201, 409)


def create_as_patroni(server: KubeServer, manifest: dict[str, Any], namespace: str) -> None:
    """The bare object that somebody else makes before we mark it."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    body: dict[str, Any] = {"metadata": {"name": name, "annotations": {"leader": "acid-shop-0"}}}
    if kind == "Service":
        body["spec"] = {"clusterIP": "None", "ports": [{"port": 5432}]}
    assert server.call("POST", f"/api/v1/namespaces/{namespace}/{PLURALS[kind]}", body).code == 201


@pytest.mark.parametrize("example", EXAMPLES)
def test_applied_twice_is_applied_once(kubernetes_server: KubeServer, example: str) -> None:
    namespace = f"desired-{example}"
    create_namespace(kubernetes_server, namespace)
    ctx = EXAMPLES[example]()
    for manifest in desired_adopted(ctx):
        create_as_patroni(kubernetes_server, manifest, namespace)
    for manifest in (*desired_shared(ctx), *desired_children(ctx), *desired_adopted(ctx)):
        first = apply(kubernetes_server, manifest, namespace)
        assert first.code in (200, 201), (identity(manifest), first.body)
        second = apply(kubernetes_server, manifest, namespace)
        assert second.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]
        if manifest in desired_adopted(ctx):
            assert first.body["metadata"]["annotations"]["leader"] == "acid-shop-0"


def test_every_variation_is_accepted(kubernetes_server: KubeServer) -> None:
    create_namespace(kubernetes_server, "desired-variations")
    answered: dict[str, str] = {}
    refused = []
    for name, variation in VARIATIONS.items():
        after = contexts(variation)[1]
        for manifest in (*desired_children(after), *desired_shared(after)):
            if manifest["kind"] in FOREIGN:
                continue
            text = json.dumps(revealed(manifest), sort_keys=True)
            if text not in answered:
                answer = apply(kubernetes_server, manifest, "desired-variations", dry=True)
                answered[text] = "" if answer.code in (200, 201) else str(answer.body.get("message"))
            if answered[text]:
                refused.append((name, answered[text]))
    assert [(name, message) for name, message in refused if name not in REFUSED] == []
    assert {name for name, _ in refused} == REFUSED


def test_the_judge_refuses(kubernetes_server: KubeServer) -> None:
    create_namespace(kubernetes_server, "desired-variations")
    [service] = [child for child in desired_children(context()) if identity(child) == "Service/acid-demo"]
    spec = {**service["spec"], "ports": [{"name": "postgresql", "port": 0}]}
    assert apply(kubernetes_server, {**service, "spec": spec}, "desired-variations", dry=True).code == 422


def test_the_server_says_we_own_what_we_think_we_own(kubernetes_server: KubeServer) -> None:
    """Otherwise a resync would apply such an object again and again (see :mod:`pgherd.facts.fingerprint`)."""
    create_namespace(kubernetes_server, "desired-owned")
    seen: set[str] = set()
    wrong = []
    for name, variation in VARIATIONS.items():
        after = contexts(variation)[1]
        for manifest in desired_children(after):
            text = json.dumps(revealed(manifest), sort_keys=True)
            if manifest["kind"] in FOREIGN or text in seen or name in REFUSED:
                continue
            seen.add(text)
            kubernetes_server.call("DELETE", object_path(manifest, "desired-owned"))
            live = apply(kubernetes_server, fingerprint.stamped(manifest), "desired-owned").body["metadata"]
            owned = fingerprint.owned_by_us(json.dumps(live["managedFields"]).encode()).digest
            if not fingerprint.is_current(live["annotations"], owned, manifest):
                wrong.append(f"{name}: {identity(manifest)}")
    assert wrong == []
