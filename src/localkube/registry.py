"""Which kinds are served: the built-in ones from the published metadata, the others from CRDs.

``resource`` is the storage name (``pods``, ``statefulsets.apps``), the same for all versions of a kind. Objects are
stored in the storage version; another version differs in ``apiVersion`` only (conversion strategy ``None``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from localkube.api import Object
from localkube.schema import META, STRING, Node, defined, published
from localkube.validation import Validator

NAMES: dict[str, tuple[str, str]] = {
    "namespaces": ("ns", ""),
    "pods": ("po", "all"),
    "services": ("svc", "all"),
    "endpoints": ("ep", ""),
    "configmaps": ("cm", ""),
    "serviceaccounts": ("sa", ""),
    "persistentvolumeclaims": ("pvc", ""),
    "persistentvolumes": ("pv", ""),
    "nodes": ("no", ""),
    "events": ("ev", ""),
    "limitranges": ("limits", ""),
    "resourcequotas": ("quota", ""),
    "statefulsets.apps": ("sts", "all"),
    "deployments.apps": ("deploy", "all"),
    "replicasets.apps": ("rs", "all"),
    "daemonsets.apps": ("ds", "all"),
    "jobs.batch": ("", "all"),
    "cronjobs.batch": ("cj", "all"),
    "poddisruptionbudgets.policy": ("pdb", ""),
    "ingresses.networking.k8s.io": ("ing", ""),
    "networkpolicies.networking.k8s.io": ("netpol", ""),
    "storageclasses.storage.k8s.io": ("sc", ""),
    "priorityclasses.scheduling.k8s.io": ("pc", ""),
    "customresourcedefinitions.apiextensions.k8s.io": ("crd crds", "api-extensions"),
}
"""Short names and category of built-in kinds: not published as data."""

SUBRESOURCES = {"status", "log", "exec", "token", "finalize"}
UNGENERATED = {
    "services",
    "persistentvolumeclaims",
    "persistentvolumes",
    "namespaces",
    "nodes",
    "resourcequotas",
    "limitranges",
    "leases.coordination.k8s.io",
}
"""Kinds with a spec whose ``metadata.generation`` Kubernetes leaves out."""


@dataclass(frozen=True)
class Crd:
    """What a custom resource's version adds."""

    schema: Object
    columns: tuple[Object, ...]

    @cached_property
    def validator(self) -> Validator:
        return Validator(self.schema)


@dataclass(frozen=True)
class Kind:
    """One served version of a resource."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    subresources: frozenset[str]
    node: Node = field(repr=False)
    singular: str = ""
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    list_kind: str = ""
    crd: Crd | None = field(default=None, repr=False)

    @property
    def resource(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources

    @property
    def generated(self) -> bool:
        """Whether ``metadata.generation`` is kept."""
        if self.crd is not None or self.kind == "EndpointSlice":
            return True
        return self.resource not in UNGENERATED and "spec" in self.node.fields

    @property
    def head(self) -> bytes:
        return f'{{"apiVersion":"{self.api_version}","kind":"{self.kind}",'.encode()


class Registry:
    """Lookup by resource and version. The first version of a resource is the one that is stored."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Kind]] = {}
        for entry in published()["kinds"]:
            self._builtin(entry)

    def _builtin(self, entry: Object) -> None:
        subresources = {s for s in entry["subresources"] if s in SUBRESOURCES}
        if entry["plural"] == "pods":
            subresources.add("exec")
        resource = f"{entry['plural']}.{entry['group']}" if entry["group"] else entry["plural"]
        short, category = NAMES.get(resource, ("", ""))
        kind = Kind(
            entry["group"],
            entry["version"],
            entry["kind"],
            entry["plural"],
            entry["namespaced"],
            frozenset(subresources),
            defined(entry["schema"]),
            entry["kind"].lower(),
            tuple(short.split()),
            (category,) if category else (),
            entry["kind"] + "List",
        )
        self._kinds[kind.resource] = {kind.version: kind}

    def all(self) -> Iterator[Kind]:
        for versions in self._kinds.values():
            yield from versions.values()

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        return self._kinds.get(f"{plural}.{group}" if group else plural, {}).get(version)

    def stored(self, resource: str) -> Kind | None:
        versions = self._kinds.get(resource)
        return next(iter(versions.values())) if versions else None

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        return next((k for k in self.all() if k.kind == kind and k.api_version == api_version), None)

    def add_crd(self, crd: Object) -> None:
        """Serves what the CRD says, in place of an earlier form of it."""
        spec = crd["spec"]
        versions = sorted((v for v in spec["versions"] if v["served"] or v["storage"]), key=lambda v: not v["storage"])
        kinds = [custom(spec, version) for version in versions]
        self._kinds[kinds[0].resource] = {k.version: k for k in kinds}

    def remove_crd(self, crd: Object) -> None:
        self._kinds.pop(crd["metadata"]["name"], None)


def custom(spec: Object, version: Object) -> Kind:
    """The kind that one version of a CRD's spec describes."""
    names = spec["names"]
    schema = version.get("schema", {}).get("openAPIV3Schema", {})
    node = Node(schema, custom=True)
    node.fields.update({"apiVersion": STRING, "kind": STRING, "metadata": defined(META)})
    subresources = version.get("subresources") or {}
    age = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
    return Kind(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        spec["scope"] == "Namespaced",
        frozenset(SUBRESOURCES & set(subresources)),
        node,
        names.get("singular") or names["kind"].lower(),
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        names.get("listKind") or names["kind"] + "List",
        Crd(schema, tuple(version.get("additionalPrinterColumns") or (age,))),
    )
