"""The whole operator in process, on a localkube whose pods are not processes.

Real: the operator (informers, queue, controller, planner, executors, status and events, HTTP clients), localkube's API
server, StatefulSet controller, claims and garbage collection. Stubbed: the node and Patroni (:mod:`crash.kubelet`,
:mod:`crash.patroni`), and there is no PostgreSQL (``enable_database_access`` is off), so roles and databases are not
part of this; ``tests/e2e`` has real ones. The operator's pauses are shortened fiftyfold, its election is left out.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from crash.deaths import Meeting
from crash.kubelet import Kubelet
from crash.patroni import Group
from crash.watcher import RESOURCES, Watcher
from desired.contexts import configuration
from localkube.api import Object, Status
from localkube.cluster import Cluster
from localkube.controllers import claims, garbage, statefulset
from localkube.faults import Action, Rule
from pgherd.act.clients import Clients
from pgherd.api.crd import crds
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.controllers.planning import session
from pgherd.facts.key import Key
from pgherd.kube.budget import Budget
from pgherd.kube.caches import Caches, Scope
from pgherd.kube.client import connect
from pgherd.kube.events import Recorder
from pgherd.kube.informer import Timing
from pgherd.kube.queue import Priority, Queue, work
from pgherd.kube.resources import POSTGRESQLS
from pgherd.main import assemble, owned_by
from pgherd.observe.named_objects import NamedObjectsReader
from pgherd.observe.observer import Observer
from pgherd.observe.surroundings import Surroundings

DEADLINE = 60.0
HURRY = 0.02
NAME = "acid-demo"
KINDS = (
    RESOURCES,
    "pods",
    "services",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "statefulsets.apps",
    "poddisruptionbudgets.policy",
    "serviceaccounts",
    "rolebindings.rbac.authorization.k8s.io",
)


class HurriedQueue(Queue[Key]):
    """The queue with its pauses shortened."""

    def add_after(self, key: Key, seconds: float, priority: Priority = Priority.RESYNC) -> None:
        super().add_after(key, seconds * HURRY, priority)


@dataclass
class Stage:
    """One API server for many runs, each in a namespace of its own."""

    cluster: Cluster
    kubelet: Kubelet
    watcher: Watcher
    kubeconfig: Path
    runs: int = 0

    def run(self, **options: Any) -> Run:
        self.runs += 1
        made = Run(self, f"run-{self.runs}", configuration(**{"enable_database_access": False, **options}))
        self.cluster.api.create("namespaces", {"metadata": {"name": made.namespace}})
        return made


@contextlib.asynccontextmanager
async def stage(home: Path) -> AsyncIterator[Stage]:
    kubelet = Kubelet()
    watcher = Watcher(kubelet)
    cluster = Cluster(home / "localkube")
    cluster.runners = (kubelet.run, watcher.run, statefulset.run, garbage.run, partial(claims.run, home=home))
    async with cluster:
        for definition in crds():
            cluster.api.create("customresourcedefinitions.apiextensions.k8s.io", dict(definition))
        cluster.write_kubeconfig(home / "kubeconfig")
        yield Stage(cluster, kubelet, watcher, home / "kubeconfig")


@dataclass
class Run:
    """One cluster under one operator at a time."""

    stage: Stage
    namespace: str
    config: OperatorConfiguration
    meeting: Meeting | None = None
    starts: int = 0
    queue: HurriedQueue | None = None
    caches: Caches | None = None
    disturbed: list[Rule] = field(default_factory=list)
    stale: list[Rule] = field(default_factory=list)
    timing: Timing = field(default_factory=lambda: Timing(first_backoff=0.02, longest_backoff=0.2))

    # --- what a person does

    def create(self, **spec: Any) -> None:
        body = {
            "metadata": {"name": NAME, "namespace": self.namespace},
            "spec": {
                "teamId": "acid",
                "numberOfInstances": 2,
                "volume": {"size": "1Gi"},
                "postgresql": {"version": "18"},
                "users": {"app": []},
                **spec,
            },
        }
        self.stage.cluster.api.create(RESOURCES, body)

    def change(self, **spec: Any) -> None:
        self.stage.cluster.api.patch(RESOURCES, self.namespace, NAME, {"spec": spec})

    def delete(self) -> None:
        self.stage.cluster.api.delete(RESOURCES, self.namespace, NAME)

    def lead(self, name: str) -> None:
        """A failover: Patroni's own decision."""
        self.group.leader = name
        self.group.timeline += 1
        self.stage.kubelet.label(self.group)

    # --- what the API server and the network do

    def disturb(self, action: Action, **fields: Any) -> None:
        """A fault that stands in all that follows."""
        self.disturbed.append(Rule(action, verb="watch", namespace=self.namespace, **fields))

    def often(self) -> None:
        """Everything is listed anew twice a second instead of once an hour."""
        self.timing = replace(self.timing, relist=0.5)

    def revision(self) -> int:
        return max(int(one["metadata"]["resourceVersion"]) for kind in KINDS for one in self.list(kind))

    def forget(self) -> None:
        """Take the cluster away, so that later runs have less beside them."""
        for kind in KINDS:
            for one in self.list(kind):
                where = (self.namespace, one["metadata"]["name"])
                with contextlib.suppress(Status):
                    self.stage.cluster.api.delete(kind, *where, grace=0)

    # --- the operator

    async def operate(self, done: Callable[[], bool], what: str = "", at: int = 0, stale: int = 0) -> list[str]:
        """Run an operator until ``done`` and quiet, meet effect call ``at``, and return the effects that were counted.

        One that dies is started again from nothing. ``stale``: its first lists show this revision. AssertionError when
        the end is not reached.
        """
        faults = self.stage.cluster.faults
        faults.clear()
        self.meeting = Meeting.plan(faults, what, at)
        self.stale = [Rule("stale", verb="list", namespace=self.namespace, revision=stale, times=11)] if stale else []
        try:
            async with asyncio.timeout(DEADLINE):
                if await self._incarnation(done):
                    return self.meeting.effects
                assert await self._incarnation(done), "it died twice"
        except TimeoutError:
            raise AssertionError(f"{what} {at}: not done after {DEADLINE} s: {self.state()}") from None
        return self.meeting.effects

    async def _incarnation(self, done: Callable[[], bool]) -> bool:
        """From start to the end (True) or to death (False)."""
        assert self.meeting is not None
        self.starts += 1
        self.queue = self.caches = None
        met = [] if self.meeting.dead.is_set() else [self.meeting]
        self.stage.cluster.faults.rules[:] = [*met, *self.stale, *self.disturbed]
        self.stage.kubelet.patroni.interrupt = self.meeting.patroni if not self.meeting.dead.is_set() else lambda _: ""
        already = self.meeting.dead.is_set()
        operator = asyncio.create_task(self._operator())
        dying = asyncio.create_task(self.meeting.dead.wait())
        finished = asyncio.create_task(self._finished(done))
        watched = [operator, finished] if already else [operator, finished, dying]
        try:
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            if operator.done():
                await operator
            return finished.done() and not finished.cancelled() and finished.exception() is None
        finally:
            for task in (finished, dying, operator):
                task.cancel()
            await asyncio.gather(finished, dying, operator, return_exceptions=True)

    async def _operator(self) -> None:
        kube = await connect(self.stage.kubeconfig, budget=Budget(rate=2000, burst=2000))
        try:
            async with session() as http:
                self.caches = caches = Caches(self.config.kubernetes.cluster_name_label)
                recorder = Recorder(kube)
                observer = Observer(
                    caches, http, Surroundings(kube), NamedObjectsReader(kube, self.namespace), kube.learned
                )
                self.queue = HurriedQueue()
                controller = assemble(
                    observer, Clients(kube, http), recorder, self.config, owned_by(""), queue=self.queue
                )
                scope = Scope((self.namespace,), children_selector=caches.label)
                async with asyncio.TaskGroup() as group:
                    group.create_task(caches.run(kube, controller.on_change, scope, self.timing))
                    await caches.synced()
                    group.create_task(recorder.run())
                    group.create_task(work(controller.queue, controller.reconcile, 4))
        finally:
            await kube.close()

    async def _finished(self, done: Callable[[], bool]) -> None:
        """Wait until the end is reached and nothing is due for a while."""
        while True:
            await asyncio.sleep(0.02)
            queue = self.queue
            if queue is None or not done() or len(queue) or queue.busy or queue.later:
                continue
            before = self._versions()
            await asyncio.sleep(0.1)
            if done() and before == self._versions() and not (len(queue) or queue.busy):
                return

    # --- what there is

    def settled(self) -> bool:
        """The resource says that all is as wanted."""
        resource = self.find(RESOURCES, NAME)
        status = (resource or {}).get("status") or {}
        states = {one["type"]: one["status"] for one in status.get("conditions") or ()}
        wanted = resource["spec"]["numberOfInstances"] if resource else 0
        return (
            resource is not None
            and status.get("PostgresClusterStatus") == "Running"
            and status.get("observedGeneration") == resource["metadata"]["generation"]
            and states.get("Progressing") == "False"
            and states.get("Degraded") == "False"
            and len(self.list("pods")) == wanted
        )

    def settled_again(self) -> Callable[[], bool]:
        """Settled after an operator has looked and its caches have caught up."""

        def done() -> bool:
            return self._caught_up() and self.settled()

        return done

    def _caught_up(self) -> bool:
        """Whether the operator's cache shows the present resource."""
        known = self.caches.get(POSTGRESQLS, self.namespace, NAME) if self.caches is not None else None
        resource = self.find(RESOURCES, NAME)
        versions = (known and known.metadata.resource_version, resource and resource["metadata"]["resourceVersion"])
        return versions[0] == versions[1]

    def gone(self) -> bool:
        """The resource and all that can be found by its label are gone."""
        labelled = {"cluster-name": NAME}
        kinds = [kind for kind in KINDS if kind != RESOURCES]
        api = self.stage.cluster.api
        return self.find(RESOURCES, NAME) is None and not any(
            api.list(kind, self.namespace, labels=labelled) for kind in kinds
        )

    def find(self, kind: str, name: str) -> Object | None:
        try:
            return self.stage.cluster.api.get(kind, self.namespace, name)
        except Status:
            return None

    def list(self, kind: str) -> list[Object]:
        return self.stage.cluster.api.list(kind, self.namespace)

    @property
    def group(self) -> Group:
        return self.stage.kubelet.groups[self.namespace, NAME]

    def picture(self) -> dict[str, str]:
        """All fields of all objects, without what two runs may differ in: identities, times, addresses, passwords, the
        leader. Path → JSON of the value."""
        found: dict[str, str] = {}
        for kind in KINDS:
            for one in self.list(kind):
                _flatten(f"{kind}/{one['metadata']['name']}", _comparable(kind, one), found)
        resource = self.find(RESOURCES, NAME)
        uid = resource["metadata"]["uid"] if resource else "none"
        return {path: text.replace(uid, "UID").replace(self.namespace, "NAMESPACE") for path, text in found.items()}

    def state(self) -> str:
        resource = self.find(RESOURCES, NAME) or {}
        queue = self.queue
        waiting = (len(queue), queue.busy, queue.later) if queue is not None else ()
        pods = {one["metadata"]["name"]: one["metadata"]["labels"].get("spilo-role") for one in self.list("pods")}
        return f"{resource.get('status')} {pods} queue {waiting} effects {self.meeting and len(self.meeting.effects)}"

    def _versions(self) -> tuple[Any, ...]:
        return tuple(one["metadata"]["resourceVersion"] for kind in KINDS for one in self.list(kind))


def _flatten(path: str, value: Any, found: dict[str, str]) -> None:
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            _flatten(f"{path}.{key}", below, found)
    elif "pgherd.io/" in path or "controller-revision-hash" in path:
        found[path] = "a digest"  # of what holds names of the run
    else:
        found[path] = json.dumps(value, sort_keys=True)


_IDENTITY = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "namespace", "selfLink")


def _comparable(kind: str, found: Object) -> Object:
    metadata = {key: value for key, value in found["metadata"].items() if key not in _IDENTITY}
    owners = metadata.get("ownerReferences") or []
    metadata["ownerReferences"] = [{key: one[key] for key in ("kind", "name")} for one in owners]
    shown = {**found, "metadata": metadata}
    if kind == "pods":
        labels = {key: value for key, value in metadata["labels"].items() if key != "spilo-role"}
        annotations = {key: value for key, value in metadata["annotations"].items() if key != "status"}
        return {"metadata": {**metadata, "labels": labels, "annotations": annotations}, "spec": _pod_spec(found)}
    if kind == "secrets":
        return {"metadata": metadata, "keys": sorted(found.get("data") or ())}
    if kind == RESOURCES:
        conditions = (found.get("status") or {}).get("conditions") or []
        told = {one["type"]: (one["status"], one["reason"]) for one in conditions}
        return {"metadata": metadata, "spec": found["spec"], "conditions": told}
    if kind == "statefulsets.apps":
        shown.pop("status", None)
    if kind == "persistentvolumeclaims":
        return {"metadata": metadata, "size": found["spec"]["resources"]}
    if kind == "services":
        shown["spec"] = {key: value for key, value in found["spec"].items() if not key.startswith("clusterIP")}
    return shown


def _pod_spec(pod: Object) -> Mapping[str, Any]:
    return {key: value for key, value in pod["spec"].items() if key not in ("nodeName",)}


def passwords(run: Run) -> dict[str, str]:
    """Secret → password."""
    return {one["metadata"]["name"]: base64.b64decode(one["data"]["password"]).decode() for one in run.list("secrets")}
