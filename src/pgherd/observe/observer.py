"""One look at one cluster: caches first (no call), then Patroni when a pod runs.

What could not be read becomes an :class:`~pgherd.facts.unknown.Unknown`; no error of a member or of the database leaves
here. Only the API server's errors do, because without it there is nothing to decide on.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

import aiohttp

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.desired.context import Context
from pgherd.desired.secrets import role_secrets
from pgherd.errors import Forbidden, ManifestError
from pgherd.facts.fingerprint import Learned
from pgherd.facts.key import Key
from pgherd.facts.leaving import leaving, lost
from pgherd.facts.named_objects import NamedObjects
from pgherd.facts.observed import Observed
from pgherd.facts.pods import Pod
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.facts.unknown import Unknown
from pgherd.facts.view import View
from pgherd.kube.caches import Caches
from pgherd.kube.resources import SECRETS
from pgherd.observe.instances import instances
from pgherd.observe.manifest import read_manifest
from pgherd.observe.members import cluster_view
from pgherd.observe.named_objects import NamedObjectsReader
from pgherd.observe.surroundings import Surroundings


@dataclass(frozen=True)
class Observer:
    """Where a look comes from. ``learned`` is :attr:`pgherd.kube.client.Kube.learned`; ``unread`` are the kinds that
    the caches lack, and why (a person may not list all that the operator may)."""

    caches: Caches
    http: aiohttp.ClientSession = field(repr=False)
    surroundings: Surroundings
    named: NamedObjectsReader
    learned: Container[Learned] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    async def observe(self, key: Key, resource: Resource | None, config: OperatorConfiguration) -> Observed:
        """Look. ``resource`` is None, or the last known form, of a cluster that is gone."""
        manifest = read_manifest(resource) if resource is not None else None
        children = self._children(key)
        unread = dict(self.unread)
        if isinstance(manifest, Postgresql) and config.kubernetes.enable_cross_namespace_secret:
            children["Secret"] |= await self._secrets_elsewhere(key, manifest, config, unread)
        observed = Observed(
            key=key,
            resource=resource,
            manifest=manifest,
            children=children,
            cluster=Unknown("no pod runs"),
            learned=self.learned,
            leaving=leaving(self.caches.nodes(), config.kubernetes.node_readiness_label),
            named=await self._named(key, resource, manifest, config),
            unread=unread,
        )
        role_label = config.kubernetes.pod_role_label
        pods: list[Pod] = list(observed.pods)
        cluster = await cluster_view(self.http, pods, role_label, key.name)
        account = config.kubernetes.pod_service_account_name
        return replace(
            observed,
            cluster=cluster,
            instances=instances(pods, cluster, role_label, lost(self.caches.nodes())),
            surroundings={
                kind: await self._surroundings(kind, key.namespace, account, unread)
                for kind in ("ServiceAccount", "RoleBinding")
            },
        )

    async def _surroundings(self, kind: str, namespace: str, name: str, unread: dict[str, str]) -> frozenset[str]:
        try:
            return await self.surroundings.known(kind, namespace, (name,))
        except Forbidden as refusal:
            unread[kind] = str(refusal)
            return frozenset()

    async def _named(
        self,
        key: Key,
        resource: Resource | None,
        manifest: Postgresql | ManifestError | None,
        config: OperatorConfiguration,
    ) -> NamedObjects:
        """What a cluster that is going needs no more is not asked for."""
        if not isinstance(manifest, Postgresql) or resource is None or resource.metadata.deleting:
            return NamedObjects()
        return await self.named.read(key.namespace, config, backup=bool(manifest.spec.enable_logical_backup))

    async def _secrets_elsewhere(
        self, key: Key, manifest: Postgresql, config: OperatorConfiguration, unread: dict[str, str]
    ) -> dict[str, View]:
        """Credentials of this cluster in other namespaces (spec lifecycle 4.13), by ``NAMESPACE/name``.

        Those that may not be read are added to ``unread``.
        """
        found: dict[str, View] = {}
        for wanted in role_secrets(Context(postgresql=manifest, config=config)):
            if wanted.namespace == key.namespace:
                continue
            place = f"{wanted.namespace}/{wanted.name}"
            try:
                cached = self.caches.get(SECRETS, wanted.namespace, wanted.name)
                live = cached or await self.surroundings.secret(wanted.namespace, wanted.name)
            except Forbidden as refusal:
                unread[f"Secret {place}"] = str(refusal)
                continue
            if live is not None:
                found[place] = live
        return found

    def _children(self, key: Key) -> dict[str, dict[str, View]]:
        return {
            resource.kind: {view.metadata.name: view for view in self.caches.children(resource, key)}
            for resource in self.caches.child_resources
        }
