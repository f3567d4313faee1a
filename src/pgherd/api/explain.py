"""``pgherd explain PATH``: one field or option, for a person who is about to write it.

A path begins with a resource, by kind or short name, and goes down by keys: ``postgresql.spec.patroni.ttl``,
``pg.spec.sidecars.image`` (list marks are optional), ``opconfig.configuration.kubernetes.pod_role_label``. A bare
option (``pod_role_label``, ``kubernetes.pod_role_label``) and a bare field (``spec.patroni.ttl``) will do, too.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pgherd.api.compat import displayed
from pgherd.api.costs import FIELD_COSTS, OPTION_COSTS, Cost, cost_of
from pgherd.api.crd import crds
from pgherd.api.faults import shown
from pgherd.api.inherited import MEANINGS, OPTIONS
from pgherd.api.operator_configuration import OperatorConfiguration, Origin
from pgherd.api.options import all_options
from pgherd.api.reading import default_configuration

OPTIONAL_MARKS = re.compile(r"\[\d*\]|\{\}|\[\"[^\"]*\"\]")


@dataclass(frozen=True)
class Explanation:
    """Everything that is worth knowing about one node of a resource.

    ``default`` is how the value reads when nothing is written, ``origin`` says who decides that, ``fields`` are the
    keys below with their types.
    """

    path: str
    type: str
    description: str
    required: bool
    rules: tuple[str, ...]
    default: str
    origin: str
    cost: Cost
    fields: Mapping[str, str]


def schemas() -> dict[str, tuple[dict[str, Any], tuple[str, ...]]]:
    """Kind to its whole schema and to the names a person may use for it, all lower case."""
    return {
        crd["spec"]["names"]["kind"]: (
            crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
            (
                crd["spec"]["names"]["kind"].lower(),
                crd["spec"]["names"]["plural"],
                *crd["spec"]["names"]["shortNames"],
            ),
        )
        for crd in crds()
    }


def explain(path: str, config: OperatorConfiguration | None = None) -> Explanation:
    """Explain a path; with a configuration, defaults are the effective ones.

    Raises KeyError with a message that names the nearest path that exists.
    """
    kind, keys = _resolved(path)
    node, required = schemas()[kind][0], True
    for position, key in enumerate(keys):
        child, required = _child(node, key)
        if child is None:
            where = ".".join([kind, *keys[:position]])
            near = difflib.get_close_matches(key, list(_keys(node)), n=1)
            raise KeyError(f"{where} has no field {key}" + (f"; did you mean {near[0]}?" if near else ""))
        node = child
    return _explanation(kind, keys, node, required, config)


def _resolved(path: str) -> tuple[str, list[str]]:
    """Kind and keys of whatever a person may have meant."""
    parts = [part for part in OPTIONAL_MARKS.sub("", path).split(".") if part]
    for kind, (_, names) in schemas().items():
        if parts and parts[0].lower() in names:
            return kind, parts[1:]
    if parts and parts[0] in ("spec", "metadata", "status"):
        return "postgresql", parts
    if parts and parts[0] == "configuration":
        return "OperatorConfiguration", parts
    for option in all_options().values():
        if ".".join(parts) in (option.path, option.key):
            return "OperatorConfiguration", ["configuration", *option.path.split(".")]
    raise KeyError(f"nothing is called {path}; begin with postgresql, operatorconfiguration or postgresteam")


def _inside(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Through lists and maps to the node that has keys."""
    while "items" in node or "additionalProperties" in node:
        node = node["items"] if "items" in node else node["additionalProperties"]
    return node


def _keys(node: Mapping[str, Any]) -> Iterator[str]:
    yield from _inside(node).get("properties", {})


def _child(node: Mapping[str, Any], key: str) -> tuple[Any, bool]:
    """The child and whether it is required; any key is a child of a map of scalars."""
    inner = _inside(node)
    if key in inner.get("properties", {}):
        return inner["properties"][key], key in inner.get("required", ())
    if "additionalProperties" in node and "properties" not in inner:
        return node["additionalProperties"], False
    return None, False


def type_name(node: Mapping[str, Any]) -> str:
    """``string``, ``list of integer``, ``map of list of string``, ``integer or string``."""
    if node.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "items" in node:
        return f"list of {type_name(node['items'])}"
    if "additionalProperties" in node:
        return f"map of {type_name(node['additionalProperties'])}"
    return str(node.get("type", "anything"))


def rules_of(node: Mapping[str, Any]) -> tuple[str, ...]:
    """What a value has to obey, in words."""
    while "items" in node:
        node = node["items"]
    out = []
    if "enum" in node:
        out.append("one of " + ", ".join(map(str, node["enum"])))
    if "minimum" in node:
        out.append(f"at least {node['minimum']}")
    if "maximum" in node:
        out.append(f"at most {node['maximum']}")
    if "pattern" in node:
        out.append(f"matches {node['pattern']}")
    if node.get("format") not in (None, "int32", "int64"):
        out.append(f"a {node['format']}")
    return tuple(out)


def _explanation(
    kind: str, keys: list[str], node: Mapping[str, Any], required: bool, config: OperatorConfiguration | None
) -> Explanation:
    default, origin = _default(kind, keys, required, config)
    inner = _inside(node)
    below = {name: type_name(child) for name, child in inner.get("properties", {}).items()}
    table = OPTION_COSTS if kind == "OperatorConfiguration" else FIELD_COSTS
    path = ".".join(keys[1:] if kind == "OperatorConfiguration" else keys)
    cost = Cost.NOTHING if kind == "PostgresTeam" else cost_of(path, table)
    return Explanation(
        path=".".join([kind, *keys]),
        type=type_name(node),
        description=node.get("description", ""),
        required=required,
        rules=rules_of(node),
        default=default,
        origin=origin,
        cost=cost,
        fields=below,
    )


def _default(kind: str, keys: list[str], required: bool, config: OperatorConfiguration | None) -> tuple[str, str]:
    path = ".".join(keys)
    if kind == "OperatorConfiguration" and ".".join(keys[1:]) in all_options():
        return option_default(".".join(keys[1:]), config)
    if kind == "postgresql" and path in OPTIONS:
        value, origin = option_default(OPTIONS[path], config)
        return value, f"option {OPTIONS[path]} of the operator configuration ({origin})"
    if kind == "postgresql" and path in MEANINGS:
        return MEANINGS[path], "fixed meaning of an absent field"
    return ("", "required") if required else ("absent", "nothing decides in its place")


def option_default(path: str, config: OperatorConfiguration | None) -> tuple[str, str]:
    """How the effective value of an option reads, and where it comes from."""
    effective = config or default_configuration()
    value = displayed(effective, path)
    text = "none" if value in ("", None, [], {}) else _readable(value)
    return text, effective.origins.get(path, Origin.BUILT_IN).value


def _readable(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_readable(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_readable(item) for item in value)
    return value if isinstance(value, str) else shown(value)
