"""Reference pages, annotated examples and JSON Schema for editors, all made from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pgherd.api.configuration.option import State
from pgherd.api.costs import FIELD_COSTS, OPTION_COSTS, Cost, cost_of
from pgherd.api.crd import crds
from pgherd.api.differences import BEHAVIOUR_DIFFERENCES, DEFAULT_DIFFERENCES, SCHEMA_DIFFERENCES, Difference
from pgherd.api.explain import explain, rules_of, schemas, type_name
from pgherd.api.inherited import MEANINGS, OPTIONS
from pgherd.api.options import all_options

EXAMPLES: Mapping[str, Any] = {
    "applicationId": "app-1",
    "caFile": "ca.crt",
    "certificateFile": "tls.crt",
    "cluster": "acid-source",
    "database": "foo",
    "eventType": "order-event",
    "logicalBackupSchedule": "30 00 * * *",
    "logical_backup_schedule": "30 00 * * *",
    "maintenanceWindows": "Sat:02:00-04:00",
    "maintenance_windows": "Sat:02:00-04:00",
    "allowedSourceRanges": "10.0.0.0/8",
    "mountPath": "/opt/data",
    "pod_service_account_definition": "",
    "pod_service_account_role_binding_definition": "",
    "size": "10Gi",
    "teamId": "acid",
    "spec.additionalVolumes.name": "more",
    "spec.tls.caSecretName": "acid-example-ca",
    "spec.tls.secretName": "acid-example-tls",
    "timestamp": "2026-12-19T12:40:33+01:00",
    "volumeSource": {"emptyDir": {}},
    "uid": "efd12e58-5786-11e8-b5a7-06148230260c",
}
"""Values by path or key where the type alone suggests none."""

_SKIPPED = frozenset(
    {"init_containers", "pod_priority_class_name", "useLoadBalancer", "replicaLoadBalancer", "gs_wal_path"}
)


def walk(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Path (without list marks), node and whether it is required, for everything below ``node``.

    Embedded Kubernetes objects are not entered; Kubernetes documents them.
    """
    inner = node
    while "items" in inner or "additionalProperties" in inner:
        inner = inner["items"] if "items" in inner else inner["additionalProperties"]
    for name, child in inner.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, child, name in inner.get("required", ())
        if not _is_embedded(here):
            yield from walk(child, here)


def _is_embedded(path: str) -> bool:
    ends = ("env", "envFrom", "initContainers", "livenessProbe", "nodeAffinity", "tolerations", "ports", "selector")
    return path.split(".")[-1] in (*ends, "topologySpreadConstraints", "liveness_probe", "sidecars_", "conditions")


def _escaped(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def _default_text(kind: str, path: str, required: bool) -> str:
    if required:
        return "required"
    if kind == "postgresql":
        if path in OPTIONS:
            return f"option `{OPTIONS[path]}`"
        return _escaped(MEANINGS.get(path, ""))
    option = path.removeprefix("configuration.")
    return f"`{_escaped(explain(option).default)}`" if option in all_options() else ""


def reference_page(kind: str) -> str:
    """A Markdown page with every field of a resource: type, rules, default, cost of a change, meaning."""
    schema, names = schemas()[kind]
    table = OPTION_COSTS if kind == "OperatorConfiguration" else FIELD_COSTS
    lines = [
        f"# `{kind}`",
        "",
        f"`acid.zalan.do/v1`, short name `{names[2]}`. This page is generated from the models in `src/pgherd/api`.",
        "",
        "| Field | Type | Default | A change costs | Meaning |",
        "|---|---|---|---|---|",
    ]
    for path, node, required in walk(schema):
        if path.split(".")[0] in ("apiVersion", "kind", "metadata", "status"):
            continue
        cost = cost_of(path.removeprefix("configuration."), table) if kind != "PostgresTeam" else Cost.NOTHING
        rules = "; ".join(f"`{rule}`" if rule.startswith("matches") else rule for rule in rules_of(node))
        meaning = _escaped(node.get("description", "")) + (f" ({_escaped(rules)})" if rules else "")
        default = _default_text(kind, path, required)
        lines.append(f"| `{path}` | {type_name(node)} | {default} | {cost.value.split(':')[0]} | {meaning} |")
    return "\n".join(lines) + "\n"


def annotated_example(kind: str) -> str:
    """YAML with every field of a resource, each under its explanation. It is a valid manifest."""
    schema, _ = schemas()[kind]
    lines = ["apiVersion: acid.zalan.do/v1", f"kind: {kind}", "metadata:", "  name: acid-example"]
    for name, child in schema["properties"].items():
        if name in ("spec", "configuration"):
            lines += [f"{name}:", *_example(child, name, 1)]
    return "\n".join(lines) + "\n"


def _example(node: Mapping[str, Any], path: str, depth: int) -> Iterator[str]:
    pad = "  " * depth
    for name, child in node.get("properties", {}).items():
        if name in _SKIPPED:
            continue
        yield from (f"{pad}# {line}" for line in _wrapped(child.get("description", ""), 100 - len(pad)))
        yield from _entry(name, child, f"{path}.{name}", depth)


def _entry(name: str, node: Mapping[str, Any], path: str, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if node.get("type") == "object" and "properties" in node and not _is_embedded(path):
        yield f"{pad}{name}:"
        yield from _example(node, path, depth + 1)
    elif "additionalProperties" in node and "properties" in node["additionalProperties"]:
        yield f"{pad}{name}:"
        yield f"{pad}  example:"
        yield from _example(node["additionalProperties"], path, depth + 2)
    elif "items" in node and "properties" in node["items"] and not _is_embedded(path):
        yield f"{pad}{name}:"
        yield f"{pad}-"
        yield from _example(node["items"], path, depth + 1)
    else:
        yield f"{pad}{name}: {json.dumps(_value(name, node, path))}"


def _value(name: str, node: Mapping[str, Any], path: str) -> Any:
    """A value that the schema accepts."""
    option = all_options().get(path.removeprefix("configuration."))
    if option is not None and option.defaults.default not in (None, "", [], {}):
        return option.defaults.default
    if "items" in node:
        return [] if node["items"].get("type") == "object" else [_value(name, node["items"], "")]
    if "additionalProperties" in node:
        return {"example": _value("", node["additionalProperties"], "")}
    for key in (path, name):
        if key in EXAMPLES:
            return EXAMPLES[key]
    if "enum" in node:
        return node["enum"][-1]
    if "pattern" in node:
        return "100m" if "cpu" in path.lower() else "100Mi"
    kind = node.get("type")
    return {"string": "example", "boolean": True, "integer": max(node.get("minimum", 1), 1), "object": {}}.get(
        str(kind)
    )


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    if line:
        yield line


def json_schema(kind: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a resource for editors: unknown keys are marked, which no API server does."""
    schema, _ = schemas()[kind]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": kind}
    body = _editor(schema)
    properties = body["properties"]
    properties["apiVersion"] = {"const": "acid.zalan.do/v1"}
    properties["kind"] = {"const": kind}
    return head | body | {"required": ["apiVersion", "kind", *body["required"]]}


def _editor(node: Mapping[str, Any]) -> dict[str, Any]:
    out = {key: value for key, value in node.items() if not key.startswith("x-kubernetes-") and key != "nullable"}
    if node.get("nullable") and "type" in out:
        out["type"] = [out["type"], "null"]
    for key in ("items", "additionalProperties"):
        if key in node:
            out[key] = _editor(node[key])
    if "properties" in node:
        out["properties"] = {name: _editor(child) for name, child in node["properties"].items()}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            out["additionalProperties"] = False
    return out


def compatibility_page() -> str:
    """Every field and option with its state, and the list of differences with their reasons."""
    lines = ["# Compatibility with the Zalando Postgres Operator", ""]
    lines += [
        "Compared with release 2.0.1. This page is generated.",
        "",
        "*Understood* means: read, checked and explained. What a release does not act upon yet is named for each",
        "cluster in the condition `ConfigurationValid`, reason `NotYetHandled`. [Quirks](quirks.md) tells what becomes",
        "of child objects.",
        "",
        "## Differences",
        "",
    ]
    lines += ["| Where | The reference | pgherd | Why |", "|---|---|---|---|"]
    for entry in (*SCHEMA_DIFFERENCES, *DEFAULT_DIFFERENCES, *BEHAVIOUR_DIFFERENCES):
        where = _escaped(entry.where.replace("\\", "").replace(".*", "*"))
        lines.append(f"| `{where}` | {entry.reference} | {entry.ours} | {entry.reason} |")
    lines += ["", "## Fields of `postgresql`", "", "| Field | State |", "|---|---|"]
    lines += [f"| `{path}` | {state} |" for path, state in _field_states()]
    lines += ["", "## Options", "", "| Option | State |", "|---|---|"]
    differing = (*SCHEMA_DIFFERENCES, *DEFAULT_DIFFERENCES, *BEHAVIOUR_DIFFERENCES)
    for path, option in all_options().items():
        state = {State.ACTIVE: "understood", State.DEPRECATED: "understood, deprecated", State.NO_EFFECT: "no effect"}
        word = state[option.defaults.state]
        if _differs((path, f"configuration.{path}"), differing):
            word += ", differs"
        lines.append(f"| `{path}` | {word} |")
    return "\n".join(lines) + "\n"


def _differs(paths: tuple[str, ...], entries: tuple[Difference, ...]) -> bool:
    return any(entry.concerns(path) for entry in entries for path in paths)


def _field_states() -> Iterator[tuple[str, str]]:
    schema = crds()[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    entries = (*SCHEMA_DIFFERENCES, *BEHAVIOUR_DIFFERENCES)
    for path, _, _ in walk({"properties": {"spec": schema["properties"]["spec"]}}):
        marked = (path, path + "{}", path + "[]", path.replace("additionalVolumes.", "additionalVolumes[]."))
        yield path, "understood, differs" if _differs(marked, entries) else "understood"
