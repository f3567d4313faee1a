"""Write ``src/pgherd/facts/list_types.py``: how server-side apply divides the kinds that pgherd writes into fields.

The types come from the development dependency kubernetes-validate (Kubernetes' own OpenAPI documents, Apache-2.0).
Only what differs from the plain rule (enter maps, take lists and values as a whole) is kept. Where the supported
versions disagree, the newest counts; run the script with ``--differences`` to see where (before 1.30 the lists with
keys of a pod were declared by their merge keys alone). A test fails when the module is not what this script writes.

    python hack/list_types.py [--differences]
"""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path
from pprint import pformat
from typing import Any

OLDEST, NEWEST = 27, 37
TARGET = Path(__file__).parent.parent / "src/pgherd/facts/list_types.py"
API = "io.k8s.api."
METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
WRITTEN = {
    ("v1", "ConfigMap"): "core.v1.ConfigMap",
    ("v1", "Endpoints"): "core.v1.Endpoints",
    ("v1", "PersistentVolumeClaim"): "core.v1.PersistentVolumeClaim",
    ("v1", "Pod"): "core.v1.Pod",
    ("v1", "Secret"): "core.v1.Secret",
    ("v1", "Service"): "core.v1.Service",
    ("v1", "ServiceAccount"): "core.v1.ServiceAccount",
    ("apps/v1", "Deployment"): "apps.v1.Deployment",
    ("apps/v1", "StatefulSet"): "apps.v1.StatefulSet",
    ("batch/v1", "CronJob"): "batch.v1.CronJob",
    ("batch/v1", "Job"): "batch.v1.Job",
    ("policy/v1", "PodDisruptionBudget"): "policy.v1.PodDisruptionBudget",
    ("rbac.authorization.k8s.io/v1", "Role"): "rbac.v1.Role",
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): "rbac.v1.RoleBinding",
}
# Defaults of map keys: declared by the Go types, lost in the published JSON documents.
KEY_DEFAULTS = {
    ("ContainerPort", "protocol"): "TCP",
    ("ServicePort", "protocol"): "TCP",
    ("LocalObjectReference", "name"): "",
}
HEADER = '''"""How server-side apply divides what pgherd writes into fields. Written by ``hack/list_types.py``.

Source: OpenAPI documents of Kubernetes 1.{newest}, Apache-2.0. ``DEFINITIONS``: definition, field, type; a type
is ``"atomic"`` (a map owned as a whole), the name of another definition, ``("set",)``, or ``("map", keys, item)`` with
the keys as pairs of name and default (None: there is none). Fields that are not listed follow the plain rule.
"""

from __future__ import annotations

from typing import Any

'''


def published(minor: int) -> dict[str, Any]:
    """Definitions of one Kubernetes version."""
    root = resources.files("kubernetes_validate") / "kubernetes-json-schema"
    definitions: dict[str, Any] = json.loads((root / f"v1.{minor}.0-local/_definitions.json").read_text())["$defs"]
    return definitions


class Table:
    """Collects the definitions that the written kinds reach."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self.published = definitions
        self.found: dict[str, dict[str, Any]] = {}

    def type_of(self, node: dict[str, Any]) -> Any:
        """The type of one published field, None for the plain rule."""
        if node.get("x-kubernetes-map-type") == "atomic":
            return "atomic"
        if "$ref" in node:
            return self.definition(node["$ref"].rsplit("/", 1)[-1])
        match node.get("x-kubernetes-list-type"):
            case "set":
                return ("set",)
            case "map":
                item = node["items"]["$ref"].rsplit("/", 1)[-1]
                keys = tuple((key, KEY_DEFAULTS.get((short(item), key))) for key in node["x-kubernetes-list-map-keys"])
                return ("map", keys, self.definition(item))
        return None

    def definition(self, name: str) -> Any:
        """Take a definition over, with all that it refers to; None when it holds nothing but plain fields."""
        node = self.published[name]
        if node.get("x-kubernetes-map-type") == "atomic":
            return "atomic"
        if short(name) not in self.found:
            self.found[short(name)] = {}
            types = {field: self.type_of(child) for field, child in node.get("properties", {}).items()}
            self.found[short(name)] = {field: kind for field, kind in sorted(types.items()) if kind is not None}
        return short(name) if self.found[short(name)] else None


def short(name: str) -> str:
    """``io.k8s.api.core.v1.PodSpec`` -> ``PodSpec``."""
    return name.rsplit(".", 1)[-1]


def table(minor: int) -> tuple[dict[str, dict[str, Any]], dict[tuple[str, str], str]]:
    """Definitions and kinds of one Kubernetes version."""
    collected = Table(published(minor))
    collected.definition(METADATA)
    for name in WRITTEN.values():
        collected.definition(API + name)
        # Status is never applied, and metadata has its own entry.
        for field in ("status", "metadata"):
            collected.found.get(short(name), {}).pop(field, None)
    reached = reachable(collected.found, {short(name) for name in (METADATA, *WRITTEN.values())})
    kinds = {key: short(name) for key, name in WRITTEN.items() if reached.get(short(name))}
    return {name: types for name, types in sorted(reached.items()) if types}, kinds


def reachable(found: dict[str, dict[str, Any]], roots: set[str]) -> dict[str, dict[str, Any]]:
    """The definitions that the roots lead to."""
    todo, seen = list(roots), set()
    while todo:
        name = todo.pop()
        if name in seen or name not in found:
            continue
        seen.add(name)
        todo += [kind[2] if isinstance(kind, tuple) and len(kind) == 3 else kind for kind in found[name].values()]
        todo = [one for one in todo if isinstance(one, str)]
    return {name: found[name] for name in seen}


def module() -> str:
    """The text of the module."""
    definitions, kinds = table(NEWEST)
    return (
        HEADER.format(newest=NEWEST)
        + f"DEFINITIONS: dict[str, dict[str, Any]] = {pformat(definitions, width=110)}\n\n"
        + f"KINDS: dict[tuple[str, str], str] = {pformat(kinds, width=110)}\n"
    )


def differences() -> None:
    """Print the fields whose type is not the same in all supported versions."""
    newest = table(NEWEST)[0]
    for minor in range(OLDEST, NEWEST):
        older = table(minor)[0]
        for name in sorted(newest.keys() & older.keys()):
            for field in sorted(newest[name].keys() | older[name].keys()):
                was, now = older[name].get(field), newest[name].get(field)
                known = field in published(minor).get(f"io.k8s.api.core.v1.{name}", {}).get("properties", {})
                if was != now and (was is not None or known):
                    print(f"1.{minor} {name}.{field}: {was} -> {now}")


if __name__ == "__main__":
    if "--differences" in sys.argv:
        differences()
    else:
        TARGET.write_text(module())
        print(f"{TARGET.name}: {len(TARGET.read_text())} bytes")
