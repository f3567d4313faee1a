"""The three ways of patching: JSON merge patch (RFC 7386), JSON patch (RFC 6902), strategic merge patch.

Pure: the object that is given is never changed. Strategic merge follows ``patch-merge-key`` and ``patch-strategy`` as
published, with the directives ``$patch``, ``$retainKeys``, ``$deleteFromPrimitiveList/x`` and ``$setElementOrder/x``
(Kubernetes documentation, "Update API Objects in Place Using kubectl patch"; contributors' strategic-merge-patch.md).
"""

from __future__ import annotations

import copy
from typing import Any

from localkube.api import Object, Status
from localkube.schema import Node


def merge(target: Any, patch: Any) -> Any:
    """JSON merge patch: null deletes, maps merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merge(out.get(name), value)
    return out


def json_patch(target: Object, operations: Any) -> Object:
    """Raises 422 for a path that does not fit or a failed ``test``, 400 for a patch that is none."""
    document: Any = {"root": copy.deepcopy(target)}
    if not isinstance(operations, list):
        raise Status(400, "BadRequest", "a JSON patch is a list of operations")
    for operation in operations:
        try:
            _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            text = "the server rejected our request due to an error in our request"
            raise Status(422, "Invalid", text, {}) from error
    root: Object = document["root"]
    return root


def _operate(document: Any, operation: Object) -> None:
    op, path = operation["op"], _pointer(operation["path"])
    if op in ("move", "copy"):
        parent, last = _walk(document, _pointer(operation["from"]))
        value = copy.deepcopy(_at(parent, last))
        if op == "move":
            _drop(parent, last)
        _add(*_walk(document, path), value)
    elif op == "add":
        _add(*_walk(document, path), copy.deepcopy(operation["value"]))
    elif op in ("remove", "replace", "test"):
        parent, last = _walk(document, path)
        found = _at(parent, last)
        if op == "test" and found != operation["value"]:
            raise ValueError("testing value failed")
        if op == "remove":
            _drop(parent, last)
        if op == "replace":
            parent[int(last) if isinstance(parent, list) else last] = copy.deepcopy(operation["value"])
    else:
        raise ValueError(f"unknown operation {op!r}")


def _pointer(path: str) -> list[str]:
    return ["root", *(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])]


def _walk(document: Any, parts: list[str]) -> tuple[Any, str]:
    here = document
    for part in parts[:-1]:
        here = _at(here, part)
    return here, parts[-1]


def _at(parent: Any, part: str) -> Any:
    return parent[int(part)] if isinstance(parent, list) else parent[part]


def _add(parent: Any, last: str, value: Any) -> None:
    if isinstance(parent, list):
        index = len(parent) if last == "-" else int(last)
        if not 0 <= index <= len(parent):
            raise IndexError("index out of range")
        parent.insert(index, value)
    else:
        parent[last] = value


def _drop(parent: Any, last: str) -> None:
    del parent[int(last) if isinstance(parent, list) else last]


def strategic(node: Node, target: Any, patch: Any) -> Any:
    """Strategic merge of a map; ``target`` may be missing (None)."""
    if not isinstance(patch, dict):
        return patch
    directive = patch.get("$patch")
    if directive == "replace":
        return {k: v for k, v in patch.items() if k != "$patch"}
    if directive == "delete":
        return {}
    out = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        out = {k: v for k, v in out.items() if k in patch["$retainKeys"]}
    orders = {k.partition("/")[2]: v for k, v in patch.items() if k.startswith("$setElementOrder/")}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            out[field] = [item for item in out.get(field, ()) if item not in value]
        elif not name.startswith("$"):
            _strategic_field(node.child(name), out, name, value)
    for name in {n for n in patch if isinstance(patch[n], list) and not n.startswith("$")} | set(orders):
        child, live = node.child(name), (target or {}).get(name) or []
        if isinstance(out.get(name), list) and "merge" in child.strategies:
            out[name] = _ordered(out[name], orders.get(name) or patch.get(name) or [], live, child.merge_key)
    return out


def _strategic_field(child: Node, out: Object, name: str, value: Any) -> None:
    live = out.get(name)
    if value is None:
        out.pop(name, None)
    elif isinstance(value, list) and "merge" in child.strategies:
        out[name] = _strategic_list(child, live if isinstance(live, list) else [], value)
    elif isinstance(value, dict) and "replace" not in child.strategies:
        out[name] = strategic(child, live, value)
    else:
        out[name] = value


def _strategic_list(node: Node, live: list[Any], patch: list[Any]) -> list[Any]:
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if item.get("$patch") != "replace"]
    if not node.merge_key:
        return live + [item for item in patch if item not in live]
    key, out = node.merge_key, list(live)
    for item in patch:
        if key not in item:
            raise Status(400, "BadRequest", f"map: {item} does not contain declared merge key: {key}")
        at = next((i for i, have in enumerate(out) if have.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            out = [have for have in out if have.get(key) != item[key]]
        elif at is None:
            out.append(strategic(node.item, {}, item))
        else:
            out[at] = strategic(node.item, out[at], item)
    return out


def _ordered(items: list[Any], order: list[Any], live: list[Any], key: str) -> list[Any]:
    """What the patch names in the patch's order; the others before whatever they stood before in the live list."""

    def name(item: Any) -> str:
        return str(item.get(key) if key and isinstance(item, dict) else item)

    ranks = {name(o): i for i, o in enumerate(order)}
    places = {name(o): i for i, o in enumerate(live)}
    mine = sorted((i for i in items if name(i) in ranks), key=lambda i: ranks[name(i)])
    others = sorted((i for i in items if name(i) not in ranks), key=lambda i: places.get(name(i), -1))
    out: list[Any] = []
    while mine or others:
        left, right = (name(q[0]) if q else None for q in (others, mine))
        first = left in places and right in places and places[left] < places[right]
        out.append(others.pop(0) if not mine or (others and first) else mine.pop(0))
    return out
