"""Taking over objects that another program wrote by plain update.

Server-side apply removes a field only from its own manager's entry. What the reference operator wrote belongs to an
entry ``postgres-operator``/``Update``: without this step a field of it that we do not want would stay for ever
(kubernetes/kubernetes#99003). So before our first apply (``Metadata.adoptable``) that entry becomes ours; the apply
after it then keeps what is wanted and removes the rest. It is what client-go's ``csaupgrade`` does.

One JSON patch of ``managedFields`` alone, valid for exactly the version that was read. Nothing else changes, and done
twice it finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from pgherd.facts import fingerprint
from pgherd.facts.fingerprint import APPLIED, MANAGER, REFERENCE_MANAGERS
from pgherd.kube.client import Kube
from pgherd.kube.resources import resource_of


async def adopt(kube: Kube, manifest: Mapping[str, Any], managers: frozenset[str] = REFERENCE_MANAGERS) -> bool:
    """Turn the update entries of ``managers`` on an object into our own apply entry; ``False``: there is none.

    Only the parts that ``manifest`` has are taken over: of a Secret or an Endpoints object whose metadata alone is ours
    the content stays theirs, or the apply after this would take it away.

    Raises :class:`~pgherd.errors.Conflict` (or ``Invalid``, on servers that report the test of a JSON patch so) when
    the object changed meanwhile: look again.
    """
    whole = await _whole(kube, manifest)
    rewritten = taken_over(whole["metadata"].get("managedFields") or [], managers, parts(manifest))
    if rewritten is None:
        return False
    await _patch(kube, manifest, whole, [_replaced(rewritten)])
    return True


async def adopt_as_it_is(
    kube: Kube, manifest: Mapping[str, Any], managers: frozenset[str] = REFERENCE_MANAGERS
) -> None:
    """Make an object ours as if we had applied ``manifest``, without writing any of it but our annotation.

    For objects that are as wanted in all that counts, and whose every write costs something (a Deployment replaces its
    pods). From then on our digests say that it is current, until another manifest is wanted.
    """
    stamped = fingerprint.stamped(manifest)
    mark = {"metadata": {"annotations": {APPLIED: stamped["metadata"]["annotations"][APPLIED]}}}
    marked = await kube.patch(resource_of(manifest["kind"]).whole().of(manifest), mark)
    ours = {
        "manager": MANAGER,
        "operation": "Apply",
        "apiVersion": manifest["apiVersion"],
        "fieldsType": "FieldsV1",
        "fieldsV1": fingerprint.field_set(stamped),
    }
    others = [entry for entry in marked["metadata"]["managedFields"] if not _is(entry, {MANAGER} | managers)]
    await _patch(kube, manifest, marked, [_replaced([ours, *others])])


def parts(manifest: Mapping[str, Any]) -> frozenset[str]:
    """Top-level fields of a manifest in the notation of ``fieldsV1``."""
    return frozenset(f"f:{key}" for key in manifest if key not in ("apiVersion", "kind"))


async def _whole(kube: Kube, manifest: Mapping[str, Any]) -> dict[str, Any]:
    return await kube.get(resource_of(manifest["kind"]).whole().of(manifest))


async def _patch(kube: Kube, manifest: Mapping[str, Any], seen: Mapping[str, Any], operations: list[Any]) -> None:
    ref = resource_of(manifest["kind"]).whole().of(manifest)
    await kube.patch(ref, operations, version=seen["metadata"]["resourceVersion"])


def _replaced(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"op": "replace", "path": "/metadata/managedFields", "value": entries}


def _is(entry: Mapping[str, Any], managers: Container[str]) -> bool:
    return entry["manager"] in managers and not entry.get("subresource")


def taken_over(
    entries: list[dict[str, Any]], managers: frozenset[str], wanted: frozenset[str]
) -> list[dict[str, Any]] | None:
    """The entries with the ``wanted`` parts of those of ``managers`` merged into ours; ``None`` when they have none."""

    def is_theirs(entry: Mapping[str, Any]) -> bool:
        return entry["operation"] == "Update" and _is(entry, managers)

    def is_ours(entry: Mapping[str, Any]) -> bool:
        return entry["operation"] == "Apply" and _is(entry, {MANAGER})

    theirs = [entry for entry in entries if is_theirs(entry)]
    if not any(wanted & entry["fieldsV1"].keys() for entry in theirs):
        return None
    ours = next((entry for entry in entries if is_ours(entry)), None)
    owned: dict[str, Any] = ours["fieldsV1"] if ours else {}
    left = []
    for entry in theirs:
        fields = entry["fieldsV1"]
        owned = _union(owned, {path: below for path, below in fields.items() if path in wanted})
        if rest := {path: below for path, below in fields.items() if path not in wanted}:
            left.append({**entry, "fieldsV1": rest})
    one = {**(ours or theirs[0]), "manager": MANAGER, "operation": "Apply", "fieldsV1": owned}
    return [one, *left] + [entry for entry in entries if not is_theirs(entry) and not is_ours(entry)]


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(one)
    for path, below in other.items():
        merged[path] = _union(merged.get(path, {}), below)
    return merged
