"""Taking over objects that another program wrote by plain update.

Server-side apply removes a field only from its own manager's entry. What the reference operator wrote belongs to an
entry ``postgres-operator``/``Update``: without this step a field of it that we do not want would stay for ever
(kubernetes/kubernetes#99003). So before our first apply (``Metadata.adoptable``) that entry becomes ours; the apply
after it then keeps what is wanted and removes the rest. It is what client-go's ``csaupgrade`` does.

One JSON patch of ``managedFields`` alone, valid for exactly the version that was read. Nothing else changes, and done
twice it finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgherd.facts.fingerprint import MANAGER, REFERENCE_MANAGERS
from pgherd.kube.client import Kube
from pgherd.kube.resources import Ref


async def adopt(kube: Kube, ref: Ref[Any], managers: frozenset[str] = REFERENCE_MANAGERS) -> bool:
    """Turn the update entries of ``managers`` on an object into our own apply entry; ``False``: there is none.

    Raises :class:`~pgherd.errors.Conflict` (or ``Invalid``, on servers that report the test of a JSON patch so) when
    the object changed meanwhile: look again.
    """
    whole = await kube.get(ref.resource.whole().at(ref.namespace, ref.name))
    metadata = whole["metadata"]
    entries = metadata.get("managedFields") or []
    rewritten = taken_over(entries, managers)
    if rewritten is None:
        return False
    replace = [{"op": "replace", "path": "/metadata/managedFields", "value": rewritten}]
    await kube.patch(ref.resource.whole().at(ref.namespace, ref.name), replace, version=metadata["resourceVersion"])
    return True


def taken_over(entries: list[dict[str, Any]], managers: frozenset[str]) -> list[dict[str, Any]] | None:
    """The entries with those of ``managers`` merged into ours; ``None`` when they have none."""

    def is_theirs(entry: Mapping[str, Any]) -> bool:
        return entry["operation"] == "Update" and entry["manager"] in managers and not entry.get("subresource")

    def is_ours(entry: Mapping[str, Any]) -> bool:
        return entry["operation"] == "Apply" and entry["manager"] == MANAGER and not entry.get("subresource")

    theirs = [entry for entry in entries if is_theirs(entry)]
    if not theirs:
        return None
    ours = next((entry for entry in entries if is_ours(entry)), None)
    owned: dict[str, Any] = ours["fieldsV1"] if ours else {}
    for entry in theirs:
        owned = _union(owned, entry["fieldsV1"])
    one = {**(ours or theirs[0]), "manager": MANAGER, "operation": "Apply", "fieldsV1": owned}
    return [one] + [entry for entry in entries if not is_theirs(entry) and not is_ours(entry)]


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(one)
    for path, below in other.items():
        merged[path] = _union(merged.get(path, {}), below)
    return merged
