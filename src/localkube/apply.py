"""Who owns which field, and server-side apply.

A *field set* is a set of paths; a path is a tuple of elements as FieldsV1 writes them: ``f:name`` (a field or map key),
``k:{"name":"x"}`` (an item of a keyed list), ``v:"x"`` (a member of a set). Atomic values are leaves. Items of keyed
lists, keys of free maps, and empty maps are members in their own right.

*Apply* by M merges the configuration into the live object, takes away what M applied before, does not name now and
nobody else owns, and fails with 409 where it would change what another owns (or takes it over with ``force``). M then
owns exactly the leaves of the configuration. *Update* by M gives M what changed, takes it from all others, and drops
what is gone. (Kubernetes documentation, "Server-Side Apply".)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localkube.api import Object, Status
from localkube.schema import Node

Path = tuple[str, ...]
Set = frozenset[Path]
Children = dict[str, tuple[Node, Any]]

UNOWNED = {"apiVersion", "kind", "metadata"}
SYSTEM = {
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields",
    "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds",
}  # fmt: skip
VALUES = {
    "metadata", "spec", "status", "template", "strategy", "updateStrategy", "resources", "jobTemplate", "names",
    "containers", "podSelector",
}  # fmt: skip
"""Fields that are structs, not pointers, in Kubernetes' built-in types: never "added", because always there."""


@dataclass(frozen=True, order=True)
class Manager:
    operation: str
    name: str
    api_version: str
    subresource: str = ""


@dataclass(frozen=True)
class Owned:
    fields: Set
    time: str


Managers = dict[Manager, Owned]


def children(node: Node, value: Any) -> Children | None:
    """Path element to (schema, value) of a granular value; None for a leaf."""
    if isinstance(value, dict):
        return None if node.atomic else {"f:" + k: (node.child(k), v) for k, v in value.items()}
    if isinstance(value, list):
        if node.list_type == "map" and all(isinstance(item, dict) for item in value):
            return {_key(node, item): (node.item, item) for item in value}
        if node.list_type == "set":
            return {"v:" + _json(item): (node.item, item) for item in value}
    return None


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _key(node: Node, item: Object) -> str:
    keys = {}
    for name in node.keys:
        default = "TCP" if name == "protocol" and not node.custom else node.item.child(name).default
        if name in item or isinstance(default, str | int | float):
            keys[name] = item.get(name, default)
    return "k:" + _json(keys)


def _member(node: Node, element: str, value: Any) -> bool:
    """Whether a granular child counts by itself, beside its leaves."""
    return element[0] != "f" or element[2:] not in node.fields or value in ({}, [], None)


def leaves(node: Node, value: Any, path: Path = ()) -> set[Path]:
    kids = children(node, value)
    if kids is None:
        return {path}
    out: set[Path] = set()
    for element, (child, item) in kids.items():
        here = (*path, element)
        out |= leaves(child, item, here)
        if _member(node, element, item):
            out.add(here)
    return out


def ownable(node: Node, obj: Object, subresource: str = "") -> Object:
    """Without names and what the server sets; status only by its subresource, and for a CRD then nothing else."""
    by_status = subresource == "status"
    out = {
        name: item
        for name, item in obj.items()
        if name not in UNOWNED and (name == "status" if by_status else name != "status" or "status" not in node.fields)
    }
    metadata = {k: v for k, v in obj["metadata"].items() if k not in SYSTEM}
    if metadata and not (by_status and node.custom):
        out["metadata"] = metadata
    return out


def merge(node: Node, live: Any, config: Any) -> Any:
    kids = children(node, config)
    if kids is None or type(live) is not type(config):
        return config
    if isinstance(config, dict):
        out = dict(live)
        for name, value in config.items():
            out[name] = merge(node.child(name), live[name], value) if name in live else value
        return out
    have = children(node, live) or {}
    if len(kids) < len(config):
        raise Status(400, "BadRequest", f"duplicate entries in the applied list {list(kids)}")
    merged = {
        element: merge(child, have[element][1], item) if element in have else item
        for element, (child, item) in kids.items()
    }
    return [merged.get(element, have[element][1] if element in have else None) for element in _order(have, kids)]


def _order(have: Iterable[str], kids: Iterable[str]) -> list[str]:
    """The configuration's order, with items that only live has kept before what followed them there."""
    left, right, out = list(have), list(kids), dict[str, None]()
    rights = set(right)
    while left or right:
        if left and (left[0] not in rights or left[0] in out):
            out[left.pop(0)] = None
        elif right:
            out[right.pop(0)] = None
        else:
            out[left.pop(0)] = None
    return list(out)


def remove(node: Node, value: Any, old: Set, kept: Set) -> Any:
    """Without what is in ``old`` and not in ``kept``. A field or item that goes takes with it what nobody owns below it
    (defaults); one that somebody else still owns a part of stays, with that part."""
    gone = old - kept
    return _remove(node, value, Removal(gone, _prefixes(gone), _prefixes(kept)), ()) if gone else value


@dataclass(frozen=True)
class Removal:
    gone: Set
    above_gone: Set
    above_kept: Set


def _prefixes(paths: Set) -> Set:
    return frozenset(path[:i] for path in paths for i in range(1, len(path)))


def _remove(node: Node, value: Any, removal: Removal, path: Path) -> Any:
    kids = children(node, value)
    if kids is None:
        return value
    keep: dict[str, Any] = {}
    for element, (child, item) in kids.items():
        here = (*path, element)
        named = element[0] == "f" and element[2:] in node.fields
        if here not in removal.above_kept and (here in removal.gone or (named and here in removal.above_gone)):
            continue
        keep[element] = _remove(child, item, removal, here) if here in removal.above_gone else item
    return {element[2:]: v for element, v in keep.items()} if isinstance(value, dict) else list(keep.values())


@dataclass(frozen=True)
class Difference:
    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    @classmethod
    def of(cls, node: Node, old: Object, new: Object, subresource: str = "") -> Difference:
        """Between two objects, what nobody can own left out."""
        found = cls()
        found._compare(node, ownable(node, old, subresource), ownable(node, new, subresource), ())
        return found

    def _compare(self, node: Node, old: Any, new: Any, path: Path) -> None:
        if old == new:
            return
        before, after = children(node, old), children(node, new)
        if before is None or after is None:
            if before is None and after is None:
                self.modified.add(path)
            else:
                _collect(node, old, path, self.removed)
                _collect(node, new, path, self.added)
            return
        for element, (child, item) in after.items():
            if element in before:
                self._compare(child, before[element][1], item, (*path, element))
            else:
                _collect(child, item, (*path, element), self.added)
        for element in before.keys() - after.keys():
            child, item = before[element]
            _collect(child, item, (*path, element), self.removed)


def _collect(node: Node, value: Any, path: Path, out: set[Path]) -> None:
    """The path of a value and all below it, without the structs that are part of even the empty object."""
    kids = children(node, value)
    always_there = not node.custom and path[-1][2:] in VALUES and all(element[0] == "f" for element in path)
    if not (always_there and (kids is not None or value == {})) and path != ("f:metadata",):
        out.add(path)
    for element, (child, item) in (kids or {}).items():
        _collect(child, item, (*path, element), out)


def updated(managers: Managers, who: Manager, difference: Difference, now: str) -> Managers:
    """Ownership after ``who`` made this difference by a write that is no apply."""
    changed, gone = difference.added | difference.modified, difference.removed
    if not changed and not gone:
        return managers
    out = {m: Owned(o.fields - changed - gone, o.time) for m, o in managers.items() if m != who}
    mine = (managers[who].fields if who in managers else frozenset()) - gone | changed
    out[who] = Owned(frozenset(mine), now)
    return {m: o for m, o in out.items() if o.fields}


@dataclass(frozen=True)
class Applied:
    obj: Object
    managers: Managers


def apply(node: Node, live: Object, config: Object, managers: Managers, who: Manager, *, force: bool) -> Applied:
    """Raises 409 with one cause per field when another manager owns it with a different value."""
    mine = frozenset(leaves(node, ownable(node, config, who.subresource)))
    old = managers[who].fields if who in managers else frozenset()
    others = frozenset().union(*(o.fields for m, o in managers.items() if m != who)) if managers else frozenset()
    new = remove(node, merge(node, live, config), old, mine | others)
    difference = Difference.of(node, live, new, who.subresource)
    changed = difference.added | difference.modified
    clashes = {m: o.fields & changed & mine for m, o in managers.items() if m != who and o.fields & changed & mine}
    if clashes and not force:
        raise conflict(clashes)
    out = {
        m: Owned(o.fields - clashes.get(m, frozenset()) - difference.removed, o.time)
        for m, o in managers.items()
        if m != who
    }
    out[who] = Owned(mine, managers[who].time if who in managers and not changed and mine == old else "")
    return Applied(new, {m: o for m, o in out.items() if o.fields})


def conflict(clashes: Mapping[Manager, Set]) -> Status:
    causes, lines = [], []
    for manager, paths in sorted(clashes.items()):
        using = f" using {manager.api_version}" if manager.operation == "Update" else ""
        using += f' with subresource "{manager.subresource}"' if manager.subresource else ""
        fields = [dotted(path) for path in sorted(paths)]
        text = f'conflict with "{manager.name}"{using}'
        causes += [{"reason": "FieldManagerConflict", "message": text, "field": f} for f in fields]
        lines.append((f'conflict{"s" if len(fields) > 1 else ""} with "{manager.name}"{using}', fields))
    count = sum(len(f) for _, f in lines)
    if count == 1:
        text = f"Apply failed with 1 conflict: {lines[0][0]}: {lines[0][1][0]}"
    else:
        body = "\n".join(f"{line}:\n" + "\n".join(f"- {f}" for f in fields) for line, fields in lines)
        text = f"Apply failed with {count} conflicts: {body}"
    return Status(409, "Conflict", text, {"causes": causes})


def dotted(path: Path) -> str:
    """``.spec.containers[name="x"].image``"""
    out = ""
    for element in path:
        mark, text = element[0], element[2:]
        if mark == "f":
            out += "." + text
        elif mark == "k":
            out += "[" + ",".join(f"{k}={json.dumps(v)}" for k, v in json.loads(text).items()) + "]"
        else:
            out += f"[={text}]"
    return out


def encode(managers: Managers) -> list[Object]:
    """As ``metadata.managedFields``: applied first, then by time."""
    entries = []
    for m, owned in sorted(managers.items(), key=lambda item: (item[0].operation, item[1].time, item[0])):
        entry = {
            "manager": m.name,
            "operation": m.operation,
            "apiVersion": m.api_version,
            "time": owned.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": _trie(owned.fields),
        }
        entries.append(entry | ({"subresource": m.subresource} if m.subresource else {}))
    return entries


def record(metadata: Object, managers: Managers) -> None:
    """Sets ``managedFields``; leaves them out when nobody owns anything."""
    metadata.pop("managedFields", None)
    if managers:
        metadata["managedFields"] = encode(managers)


def decode(entries: Iterable[Object]) -> Managers:
    out: Managers = {}
    for entry in entries:
        manager = Manager(
            entry.get("operation", ""),
            entry.get("manager", ""),
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
        )
        paths: set[Path] = set()
        _paths(entry.get("fieldsV1") or {}, (), paths)
        out[manager] = Owned(frozenset(paths), entry.get("time", ""))
    return out


def _trie(paths: Set) -> Object:
    root: Object = {}
    for path in sorted(paths):
        node = root
        for element in path:
            node = node.setdefault(element, {})
    for path in paths:
        node = root
        for element in path:
            node = node[element]
        if node:
            node["."] = {}
    return root


def _paths(node: Object, path: Path, out: set[Path]) -> None:
    for element, below in node.items():
        if element == ".":
            out.add(path)
        elif below:
            _paths(below, (*path, element), out)
        else:
            out.add((*path, element))
