"""Packs what Kubernetes publishes about its own types into ``src/localkube/published.json.gz``.

Types come from ``kubernetes-validate`` (OpenAPI definitions), plurals, scope, verbs and subresources from
``lightkube-models``. Descriptions are left out, and so is every type that no served kind reaches. Run it again after a
change of ``VERSION`` or of the kinds: ``python hack/pack_kubernetes_schema.py``.
"""

from __future__ import annotations

import ast
import gzip
import importlib.util
import json
from pathlib import Path
from typing import Any, TypeGuard

import kubernetes_validate

VERSION = "1.34.0"
TARGET = Path(__file__).parent.parent / "src/localkube/published.json.gz"
KEPT = ("type", "format", "enum", "required", "default")
SERVED = {
    "core_v1": "Namespace Pod Service Endpoints ConfigMap Secret ServiceAccount PersistentVolumeClaim PersistentVolume "
    "Node Event LimitRange ResourceQuota",
    "apps_v1": "StatefulSet Deployment ReplicaSet DaemonSet ControllerRevision",
    "batch_v1": "Job CronJob",
    "policy_v1": "PodDisruptionBudget",
    "discovery_v1": "EndpointSlice",
    "coordination_v1": "Lease",
    "networking_v1": "Ingress NetworkPolicy",
    "rbac_authorization_v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
    "storage_v1": "StorageClass",
    "scheduling_v1": "PriorityClass",
    "apiextensions_v1": "CustomResourceDefinition",
}
EXTRA = ("io.k8s.api.autoscaling.v1.Scale", "io.k8s.api.authentication.v1.TokenRequest")


def main() -> None:
    home = Path(kubernetes_validate.__file__).parent / f"kubernetes-json-schema/v{VERSION}-local/_definitions.json"
    definitions = json.loads(home.read_text())["$defs"]
    kinds = [kind for module, names in SERVED.items() for kind in served(module, names.split())]
    by_gvk = {
        (g["group"], g["version"], g["kind"]): name
        for name, node in definitions.items()
        for g in node.get("x-kubernetes-group-version-kind", ())
    }
    for kind in kinds:
        kind["schema"] = by_gvk[kind["group"], kind["version"], kind["kind"]]
    packed: dict[str, Any] = {}
    todo = [*(kind["schema"] for kind in kinds), *EXTRA]
    while todo:
        name = todo.pop()
        if name not in packed:
            packed[name] = slim(definitions[name], todo)
    document = {"version": VERSION, "kinds": kinds, "definitions": dict(sorted(packed.items()))}
    data = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    TARGET.write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{TARGET.name}: {len(kinds)} kinds, {len(packed)} types, {TARGET.stat().st_size} bytes")


def served(module: str, names: list[str]) -> list[dict[str, Any]]:
    """The ApiInfo of each kind, with its subresources beside it.

    Read as text: the classes themselves need the whole lightkube client to be imported.
    """
    root = importlib.util.find_spec("lightkube.models")
    assert root is not None
    assert root.origin is not None
    source = Path(root.origin).parent.parent / f"resources/{module}.py"
    infos = [info(node) for node in ast.walk(ast.parse(source.read_text())) if is_info(node)]
    return [
        {
            "group": main["resource"][0],
            "version": main["resource"][1],
            "kind": name,
            "plural": main["plural"],
            "namespaced": "global_list" in main["verbs"],
            "subresources": sorted(i["action"] for i in infos if i.get("action") and i["parent"][2] == name),
        }
        for name in names
        for main in infos
        if main["resource"][2] == name and "action" not in main
    ]


def is_info(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "ApiInfo"


def info(call: ast.Call) -> dict[str, Any]:
    """Keyword arguments as literals; a ``ResourceDef`` becomes (group, version, kind)."""
    return {
        str(k.arg): [ast.literal_eval(a) for a in k.value.args]
        if isinstance(k.value, ast.Call)
        else ast.literal_eval(k.value)
        for k in call.keywords
    }


def slim(node: dict[str, Any], todo: list[str]) -> dict[str, Any]:
    """A node without its descriptions; every type that it names is added to ``todo``."""
    out: dict[str, Any] = {k: v for k, v in node.items() if k in KEPT or k.startswith("x-kubernetes-")}
    if isinstance(out.get("type"), list):
        out["type"] = next(t for t in out["type"] if t != "null")
    if "enum" in out:
        out["enum"] = [e for e in out["enum"] if e is not None]
    if "oneOf" in node:
        out["x-kubernetes-int-or-string"] = True
    reference = node.get("$ref", "")
    if reference:
        name = reference.rsplit("/", 1)[1]
        out["$ref"] = name
        todo.append(name)
    if "properties" in node:
        out["properties"] = {k: slim(v, todo) for k, v in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            out[key] = slim(node[key], todo)
    return out


if __name__ == "__main__":
    main()
