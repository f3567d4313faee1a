"""The verbs of the API: what HTTP and the controllers both call.

Every method runs without waiting, so a call is atomic: nothing can change between the check of a precondition and the
write. Rules of single kinds are in :mod:`localkube.admission`, ownership of fields in :mod:`localkube.apply`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from localkube import admission, errors, writing
from localkube import apply as ssa
from localkube.addressing import Addressing
from localkube.api import Object, Status
from localkube.names import generated
from localkube.patches import merge
from localkube.reading import Reading
from localkube.registry import Kind, Registry
from localkube.store import Key, Store, Stored, clone
from localkube.validation import Cause, invalid
from localkube.writing import Call

CALL = Call(validation="Ignore")
Names = list[str]
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


@dataclass(frozen=True)
class Deletion:
    """DeleteOptions. ``grace`` in seconds; ``propagation`` is Background, Foreground, Orphan or empty."""

    uid: str = ""
    revision: str = ""
    grace: int | None = None
    propagation: str = ""


class Verbs(Reading):
    """Implements :class:`localkube.api.Api`."""

    def __init__(self, store: Store, registry: Registry) -> None:
        super().__init__(store, registry)
        self.addressing = Addressing(store)
        for stored in store.page(CRDS, ""):
            registry.add_crd(stored.obj)
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            if store.get("namespaces", ("", name)) is None:
                self.create("namespaces", {"metadata": {"name": name}})

    # Writing

    def create(self, resource: str, obj: Object, *, call: Call = CALL) -> Object:
        kind = self.kind(resource, call.version)
        obj = writing.decode(kind, obj, call)
        metadata = obj["metadata"] = dict(obj["metadata"])
        if metadata.get("resourceVersion"):
            raise Status(500, "", "resourceVersion should not be set on objects to be created")
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = generated(metadata["generateName"])
        return self._insert(kind, obj, call, None)

    def _insert(self, kind: Kind, obj: Object, call: Call, managers: ssa.Managers | None) -> Object:
        metadata = obj["metadata"]
        if not metadata.get("name"):
            text = "Required value: name or generateName is required"
            raise invalid(kind.kind, kind.group, "", [Cause("metadata.name", text)])
        key = self._key(kind, metadata)
        self._check_namespace(kind, key)
        writing.born(kind, obj)
        writing.complete(kind, obj, new=True)
        writing.check(kind, obj, None)
        if self.store.get(kind.resource, key) is not None:
            raise errors.exists(kind, key[1])
        if kind.resource == CRDS:
            metadata["finalizers"] = sorted({*(metadata.get("finalizers") or ()), CLEANUP})
        if managers is None:
            who = ssa.Manager("Update", call.manager, kind.api_version)
            change = ssa.Difference.of(kind.node, {"metadata": {}}, obj)
            managers = ssa.updated({}, who, change, metadata["creationTimestamp"])
        ssa.record(metadata, managers)
        admission.late(kind, obj)
        if kind.resource == "services":
            self.addressing.complete(obj, dry_run=call.dry_run)
        return self._write(kind, key, obj, call)

    def _key(self, kind: Kind, metadata: Object) -> Key:
        if not kind.namespaced:
            metadata.pop("namespace", None)
            return "", metadata["name"]
        namespace = metadata.setdefault("namespace", "default")
        return namespace, metadata["name"]

    def _check_namespace(self, kind: Kind, key: Key) -> None:
        if not kind.namespaced:
            return
        namespace = self.store.get("namespaces", ("", key[0]))
        if namespace is None:
            raise errors.not_found(self.kind("namespaces"), key[0])
        if "deletionTimestamp" in namespace.obj["metadata"]:
            text = f"unable to create new content in namespace {key[0]} because it is being terminated"
            raise errors.forbidden(kind, key[1], text, "NamespaceTerminating")

    def update(self, resource: str, obj: Object, *, subresource: str = "", call: Call = CALL) -> Object:
        kind = self.kind(resource, call.version)
        new = writing.decode(kind, obj, call)
        metadata = new["metadata"] = dict(new["metadata"])
        key = self._key(kind, metadata)
        old = self.read(kind, *key)
        if not metadata.get("resourceVersion") and kind.crd is not None:
            text = "Invalid value: 0: must be specified for an update"
            causes = [Cause("metadata.resourceVersion", text)]
            raise invalid(kind.plural, kind.group, key[1], causes)
        return self._replace(kind, old, new, subresource, call)

    def patch(
        self, resource: str, namespace: str, name: str, patch: Object, *, subresource: str = "", call: Call = CALL
    ) -> Object:
        return self.change(resource, (namespace, name), lambda obj: merge(obj, patch), subresource, call)

    def change(
        self, resource: str, key: Key, change: Callable[[Object], Any], subresource: str = "", call: Call = CALL
    ) -> Object:
        """Writes what ``change`` makes of the present object."""
        kind = self.kind(resource, call.version)
        old = self.read(kind, *key)
        present = {**old.obj, "apiVersion": kind.api_version}
        changed = change(present)
        if changed == present:
            return self._shown(kind, old)
        new = writing.decode_patched(kind, changed, call)
        for name, mine in (("name", key[1]), ("namespace", key[0])):
            if (new["metadata"].get(name) or "") != mine:
                text = f"the {name} of the object ({new['metadata'].get(name)}) does not match the {name} on the URL"
                raise errors.bad_request(f"{text} ({mine})")
        return self._replace(kind, old, new, subresource, call)

    def apply(
        self, resource: str, key: Key, config: Object, *, subresource: str = "", call: Call = CALL
    ) -> tuple[Object, bool]:
        """Server-side apply; the second is whether the object was created."""
        kind = self.kind(resource, call.version)
        metadata = config.get("metadata") or {} if isinstance(config, dict) else {}
        if metadata.get("managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        if metadata.get("name") != key[1] or metadata.get("namespace", key[0]) != key[0]:
            raise errors.bad_request("the name or namespace of the object does not match the URL")
        config = writing.decode_applied(kind, config, call)
        config["metadata"] = {**config["metadata"]} | ({"namespace": key[0]} if kind.namespaced else {})
        old = self.store.get(kind.resource, key)
        if old is None and subresource:
            raise errors.not_found(kind, key[1])
        empty: Object = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
        live = {**old.obj, "apiVersion": kind.api_version} if old else empty
        who = ssa.Manager("Apply", call.manager, kind.api_version, subresource)
        before = ssa.decode(live["metadata"].get("managedFields") or ())
        done = ssa.apply(kind.node, live, config, before, who, force=call.force)
        stamp = writing.now()
        managers = {m: o if o.time else ssa.Owned(o.fields, stamp) for m, o in done.managers.items()}
        if old is None:
            if config["metadata"].get("resourceVersion"):
                raise errors.conflict(kind, key[1], "the object does not exist")
            return self._insert(kind, clone(done.obj), call, managers), True
        if done.obj == live and managers == before:
            return self._shown(kind, old), False
        return self._replace(kind, old, done.obj, subresource, call, managers), False

    def _replace(
        self,
        kind: Kind,
        old: Stored,
        new: Object,
        subresource: str,
        call: Call,
        managers: ssa.Managers | None = None,
    ) -> Object:
        metadata, name = new["metadata"], old.obj["metadata"]["name"]
        if metadata.get("resourceVersion") and metadata["resourceVersion"] != str(old.revision):
            raise errors.conflict(kind, name)
        uid = old.obj["metadata"]["uid"]
        if metadata.get("uid", uid) != uid:
            text = f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {uid}"
            raise errors.conflict(kind, name, text)
        claimed = metadata.get("managedFields")
        new = clone(writing.carry(kind, old.obj, new, subresource))
        writing.complete(kind, new, new=False)
        if kind.resource == "services":
            self.addressing.complete(new, dry_run=call.dry_run)
        writing.check(kind, new, old.obj)
        if kind.generated and writing.desired(kind, new) != writing.desired(
            kind, old.obj | {"apiVersion": new["apiVersion"]}
        ):
            new["metadata"]["generation"] = old.obj["metadata"].get("generation", 0) + 1
        if managers is None:
            managers = self._ownership(kind, old, new, subresource, call, claimed)
        ssa.record(new["metadata"], managers)
        new["metadata"].pop("resourceVersion", None)
        if writing.same(old.obj, new):
            return self._shown(kind, old)
        key = (old.obj["metadata"].get("namespace", ""), name)
        if self._finished(kind, old.obj, new):
            if not call.dry_run:
                self._remove(kind, key, new)
            return new | {"metadata": new["metadata"] | {"resourceVersion": str(old.revision)}}
        return self._write(kind, key, new, call)

    def _ownership(
        self, kind: Kind, old: Stored, new: Object, subresource: str, call: Call, claimed: Any
    ) -> ssa.Managers:
        if claimed == [{}]:
            return {}
        before = ssa.decode(claimed if claimed else old.obj["metadata"].get("managedFields") or ())
        who = ssa.Manager("Update", call.manager, kind.api_version, subresource)
        change = ssa.Difference.of(kind.node, old.obj, new, subresource)
        return ssa.updated(before, who, change, writing.now())

    def _write(self, kind: Kind, key: Key, obj: Object, call: Call) -> Object:
        first = self.registry.stored(kind.resource)
        if first is not None and first.version != kind.version:
            obj = {**obj, "apiVersion": first.api_version}
        if call.dry_run:
            return obj
        stored = self.store.write(kind.resource, key, obj)
        if kind.resource == CRDS:
            self.registry.add_crd(stored.obj)
        return self._shown(kind, stored)

    @staticmethod
    def _shown(kind: Kind, stored: Stored) -> Object:
        return stored.copy() | {"apiVersion": kind.api_version}

    # Deleting

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        uid: str = "",
        grace: int | None = None,
        propagation: str = "",
    ) -> None:
        self.remove(self.kind(resource), (namespace, name), Deletion(uid, "", grace, propagation))

    def remove(self, kind: Kind, key: Key, options: Deletion, call: Call = CALL) -> tuple[Object, bool]:
        """The last state, and whether the object is gone already. Raises 404, and 409 for a failed precondition."""
        stored = self.read(kind, *key)
        old, metadata = stored.obj, stored.obj["metadata"]
        for label, wanted, have in (
            ("UID", options.uid, metadata["uid"]),
            ("ResourceVersion", options.revision, metadata["resourceVersion"]),
        ):
            if wanted and wanted != have:
                raise errors.mismatch(kind, key[1], label, wanted, have)
        grace = self._grace(kind, old, options.grace)
        finalizers = self._finalizers(kind, old, options.propagation)
        waits = finalizers or grace or (kind.kind == "Namespace" and old["spec"].get("finalizers"))
        if not waits and kind.kind == "Pod":
            last = stored.copy()
            self._mark(kind, last, 0)
            return (last, True) if call.dry_run else (self._remove(kind, key, last), True)
        if not waits:
            return (stored.copy(), True) if call.dry_run else (self._remove(kind, key, stored.copy()), True)
        new = stored.copy()
        new["metadata"]["finalizers"] = finalizers
        if not finalizers:
            del new["metadata"]["finalizers"]
        self._mark(kind, new, grace)
        before = stored.copy()
        if new == before:
            return new, False
        done = self._write(kind, key, new, call)
        if kind.resource == CRDS and not call.dry_run:
            self._purge(old)
            return done, self.store.get(kind.resource, key) is None
        return done, False

    @staticmethod
    def _grace(kind: Kind, old: Object, asked: int | None) -> int:
        """Only pods that a node has taken are given time; a pod that has ended needs none."""
        if kind.kind != "Pod" or not old["spec"].get("nodeName"):
            return 0
        if (old.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return 0
        grace = int(old["spec"].get("terminationGracePeriodSeconds", 30)) if asked is None else asked
        return grace if asked == 0 else min(grace, int(old["metadata"].get("deletionGracePeriodSeconds", grace)))

    @staticmethod
    def _finalizers(kind: Kind, old: Object, propagation: str) -> Names:
        if not propagation and kind.resource == "jobs.batch":
            propagation = "Orphan"
        kept = [f for f in old["metadata"].get("finalizers") or () if not propagation or f not in FINALIZERS.values()]
        if propagation in FINALIZERS:
            kept.append(FINALIZERS[propagation])
        return kept

    @staticmethod
    def _mark(kind: Kind, obj: Object, grace: int) -> None:
        metadata = obj["metadata"]
        if "deletionTimestamp" in metadata and metadata.get("deletionGracePeriodSeconds", 0) <= grace:
            return
        first = "deletionTimestamp" not in metadata
        when = datetime.now(UTC) + timedelta(seconds=grace)
        metadata["deletionTimestamp"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata["deletionGracePeriodSeconds"] = grace
        if first and "generation" in metadata:
            metadata["generation"] += 1
        if kind.kind == "Namespace":
            obj["status"] = {**admission.FIRST_STATUS["Namespace"], **(obj.get("status") or {}), "phase": "Terminating"}

    @staticmethod
    def _finished(kind: Kind, old: Object, new: Object) -> bool:
        """Whether this update takes away the last thing that kept a deleted object."""
        if "deletionTimestamp" not in old["metadata"] or new["metadata"].get("finalizers"):
            return False
        if kind.kind == "Namespace":
            return not new["spec"].get("finalizers")
        return bool(old["metadata"].get("finalizers")) and not old["metadata"].get("deletionGracePeriodSeconds")

    def _remove(self, kind: Kind, key: Key, last: Object) -> Object:
        stored = self.store.delete(kind.resource, key, last)
        if kind.resource == "services":
            self.addressing.forget(last)
        if kind.resource == CRDS:
            self.registry.remove_crd(last)
        elif kind.crd is not None and not self.store.shelf(kind.resource).objects:
            definition = self.store.get(CRDS, ("", kind.resource))
            if definition is not None and "deletionTimestamp" in definition.obj["metadata"]:
                self._purge(definition.obj)
        return self._shown(kind, stored)

    def _purge(self, definition: Object) -> None:
        """Deletes the resources of a CRD that goes, then, once none is left, lets the CRD itself go."""
        name = definition["metadata"]["name"]
        kind = self.registry.stored(name)
        for stored in list(self.store.page(name, "")):
            if kind is not None and "deletionTimestamp" not in stored.obj["metadata"]:
                metadata = stored.obj["metadata"]
                self.remove(kind, (metadata.get("namespace", ""), metadata["name"]), Deletion())
        if not self.store.shelf(name).objects and self.store.get(CRDS, ("", name)) is not None:
            left = [f for f in self.get(CRDS, "", name)["metadata"].get("finalizers", ()) if f != CLEANUP]
            self.patch(CRDS, "", name, {"metadata": {"finalizers": left or None}})
