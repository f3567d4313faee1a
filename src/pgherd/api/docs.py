"""Reference pages, annotated examples and JSON Schema for editors, all made from the models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pgherd.api.costs import FIELD_COSTS, OPTION_COSTS, Cost, cost_of
from pgherd.api.crd import crds
from pgherd.api.differences import BEHAVIOUR_DIFFERENCES, DEFAULT_DIFFERENCES, SCHEMA_DIFFERENCES, Difference
from pgherd.api.explain import explain, rules_of, schemas, type_name
from pgherd.api.handled import GAPS, Verdict, Word, verdict_of_field, verdict_of_option
from pgherd.api.inherited import MEANINGS, OPTIONS
from pgherd.api.options import all_options
from pgherd.api.startup import FLAGS, VARIABLES

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
    """Every field and option with its verdict, what is missing, and the list of differences with their reasons."""
    options = {path: verdict_of_option(path) for path in all_options()}
    fields = dict(_field_verdicts())
    counts = Counter(verdict.word for verdict in (*fields.values(), *options.values()))
    lines = [
        "# Compatibility with the Zalando Postgres Operator",
        "",
        "Compared with release 2.0.1. This page is generated, and a test looks for the code behind each verdict.",
        "",
        f"Of {len(fields)} fields of `postgresql` and {len(options)} options of the operator:",
        "",
        "| Verdict | Count | Meaning |",
        "|---|---|---|",
        f"| supported | {counts[Word.SUPPORTED]} | as in the reference |",
        f"| differs | {counts[Word.DIFFERS]} | not quite as in the reference: see [Differences](#differences) |",
        f"| no effect | {counts[Word.NO_EFFECT]} | accepted; nothing depends on it |",
        f"| not yet | {counts[Word.NOT_YET]} | read, checked, explained, and not acted upon: see [Missing](#missing) |",
        "",
        "A manifest that asks for something that is missing says so in its condition `ConfigurationValid`, reason",
        "`NotYetHandled`, and in `pgherd validate`. [Quirks](quirks.md) tells what becomes of child objects,",
        "[Start](reference/start.md) what flags and environment variables do.",
        "",
        "## Missing",
        "",
    ]
    lines += _table("What", "Fields and options", "What does not happen", rows=_gap_rows())
    lines += ["", "## Differences", ""]
    entries = (*SCHEMA_DIFFERENCES, *DEFAULT_DIFFERENCES, *BEHAVIOUR_DIFFERENCES)
    rows = [(_where(entry), entry.reference, entry.ours, entry.reason) for entry in entries]
    lines += _table("Where", "The reference", "pgherd", "Why", rows=rows)
    lines += ["", "## Fields of `postgresql`", ""]
    lines += _table("Field", "Verdict", "Note", rows=[_verdict_row(*item) for item in fields.items()])
    lines += ["", "## Options", ""]
    lines += _table("Option", "Verdict", "Note", rows=[_verdict_row(*item) for item in options.items()])
    return "\n".join(lines) + "\n"


def start_page() -> str:
    """The reference's flags and environment variables, and what they do here."""
    lines = ["# How the operator is started", "", "This page is generated from `src/pgherd/api/startup.py`.", ""]
    lines += ["## Flags of `pgherd run`", "", "With one or two dashes, `-flag=value` or `-flag value`.", ""]
    lines += _table("Flag", "Default", "Meaning", rows=[(f"`-{one.name}`", one.default, one.meaning) for one in FLAGS])
    lines += ["", "## Environment variables", ""]
    rows = [(f"`{one.name}`", one.default, one.meaning) for one in VARIABLES]
    lines += _table("Variable", "Default", "Meaning", rows=rows)
    lines += [
        "",
        "What overrides an option wins over the configuration, also when that changes; `pgherd config show` tells it",
        "as the origin of the value. Nothing else in the environment overrides an option.",
        "Log lines go to standard error.",
    ]
    return "\n".join(lines) + "\n"


def _table(*head: str, rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]


def _where(entry: Difference) -> str:
    return f"`{_escaped(entry.where.replace(chr(92), '').replace('.*', '*'))}`"


def _gap_rows() -> Iterator[tuple[str, str, str]]:
    for gap in GAPS:
        yield gap.name, ", ".join(f"`{path}`" for path in (*gap.fields, *gap.options)), gap.missing


def _verdict_row(path: str, verdict: Verdict) -> tuple[str, str, str]:
    anchors = {Word.NOT_YET: "#missing", Word.DIFFERS: "#differences"}
    word = f"[{verdict.word}]({anchors[verdict.word]})" if verdict.word in anchors else str(verdict.word)
    return f"`{path}`", word, _escaped(verdict.note)


def _field_verdicts() -> Iterator[tuple[str, Verdict]]:
    schema = crds()[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for path, _, _ in walk({"properties": {"spec": schema["properties"]["spec"]}}):
        yield path, verdict_of_field(path)
