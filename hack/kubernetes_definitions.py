"""Pack the published Kubernetes definitions that our custom resources embed.

The definitions come from the development dependency kubernetes-validate (Kubernetes' own OpenAPI documents,
Apache-2.0) and are written to ``src/pgherd/api/data/kubernetes.json`` as structural schemas with ``$ref`` between
them. Run it after raising :data:`RELEASE`; a test fails when the packed file is not what this script writes.

    python hack/kubernetes_definitions.py
"""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

RELEASE = "1.36.0"
ROOTS = (
    "core.v1.Container",
    "core.v1.ContainerPort",
    "core.v1.EnvFromSource",
    "core.v1.EnvVar",
    "core.v1.NodeAffinity",
    "core.v1.Probe",
    "core.v1.Toleration",
    "core.v1.TopologySpreadConstraint",
    "core.v1.Volume",
    "meta.v1.LabelSelector",
)
TARGET = Path(__file__).parent.parent / "src/pgherd/api/data/kubernetes.json"
QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
INT_OR_STRING = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}

# Defaults that Kubernetes' own types declare. The published JSON documents drop them; a list map needs the one of
# `protocol`, because every key of a list map must be required or have a default.
DEFAULTS: dict[tuple[str, str], Any] = {
    ("ConfigMapKeySelector", "name"): "",
    ("SecretKeySelector", "name"): "",
    ("ConfigMapEnvSource", "name"): "",
    ("SecretEnvSource", "name"): "",
    ("GRPCAction", "service"): "",
    ("FileKeySelector", "optional"): False,
    ("ContainerPort", "protocol"): "TCP",
}

# Reference types whose mark as atomic the published documents have lost, too.
ATOMIC = ("ConfigMapEnvSource", "SecretEnvSource")


def short(name: str) -> str:
    """``#/$defs/io.k8s.api.core.v1.EnvVar`` -> ``EnvVar``."""
    return name.rsplit(".", 1)[-1]


def sentence(text: str) -> str:
    """The first sentence: enough for `kubectl explain`, and the resource stays small enough for `kubectl apply`."""
    first = re.split(r"(?<=[a-z0-9)`\"])\. |\n", text.strip(), maxsplit=1)[0].strip()
    return first if first.endswith(".") else first + "."


def structural(node: dict[str, Any]) -> dict[str, Any]:
    """Rewrite one published node: null alternatives, patch hints and unions go, references become short names."""
    if "$ref" in node:
        target = short(node["$ref"])
        if target == "Quantity":
            return {**INT_OR_STRING, "pattern": QUANTITY}
        if target == "IntOrString":
            return dict(INT_OR_STRING)
        return {"$ref": target}
    kind = node.get("type")
    out: dict[str, Any] = {"type": next(one for one in kind if one != "null") if isinstance(kind, list) else kind}
    if node.get("format") in ("int32", "int64"):
        out["format"] = node["format"]
    out |= {key: node[key] for key in node if key.startswith(("x-kubernetes-list", "x-kubernetes-map"))}
    if "properties" in node:
        out["properties"] = {name: described(child) for name, child in sorted(node["properties"].items())}
    if node.get("required"):
        out["required"] = sorted(node["required"])
    if "items" in node:
        out["items"] = structural(node["items"])
    if isinstance(node.get("additionalProperties"), dict):
        out["additionalProperties"] = structural(node["additionalProperties"])
    return out


def described(node: dict[str, Any]) -> dict[str, Any]:
    """A property with the first sentence of its description."""
    text = node.get("description")
    return structural(node) | ({"description": sentence(text)} if text else {})


def references(node: Any) -> set[str]:
    """Every published name that a node refers to."""
    if isinstance(node, dict):
        own = {node["$ref"].rsplit("/", 1)[-1]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(child) for child in node.values()))
    return set().union(*(references(child) for child in node)) if isinstance(node, list) else set()


def packed() -> str:
    """The text of the data file."""
    source = resources.files("kubernetes_validate") / f"kubernetes-json-schema/v{RELEASE}-local/_definitions.json"
    published = json.loads(source.read_text())["$defs"]
    prefix = {"core": "io.k8s.api.", "meta": "io.k8s.apimachinery.pkg.apis."}
    todo = [prefix[root.split(".")[0]] + root for root in ROOTS]
    definitions: dict[str, Any] = {}
    while todo:
        name = todo.pop()
        if short(name) in definitions or short(name) in ("Quantity", "IntOrString"):
            continue
        definitions[short(name)] = structural(published[name])
        todo.extend(references(published[name]))
    for (kind, field), default in DEFAULTS.items():
        definitions[kind]["properties"][field]["default"] = default
    for kind in ATOMIC:
        definitions[kind]["x-kubernetes-map-type"] = "atomic"
    document = {
        "source": f"Kubernetes {RELEASE} OpenAPI definitions, Apache-2.0, shortened by hack/kubernetes_definitions.py",
        "definitions": dict(sorted(definitions.items())),
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(packed())
    print(f"{TARGET.name}: {len(TARGET.read_text())} bytes")
