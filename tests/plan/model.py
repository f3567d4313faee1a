"""A model of the world that plans act on: objects, a StatefulSet controller, pods, and Patroni.

It is no Kubernetes and no Patroni; it is the least that the rules of the planner are about, so that thousands of passes
take seconds: what is applied is stored, numbered pods come and go as a StatefulSet has them, a member runs, leads or
follows. The real ones are met in ``tests/crash`` (API server) and ``tests/e2e`` (Patroni, PostgreSQL).

:meth:`Model.act` carries a plan out and asserts the invariants of every single step:

* a healthy copy is given up only while all others that the cluster has are healthy, and it never is the leader of more
  than one;
* a member that leads is not removed, unless none is wanted;
* in one pass at most one thing happens that a client can notice;
* the content of a Secret never changes; no claim is touched but to grow; StatefulSets go only with their pods orphaned.

:meth:`Model.nature` is what happens without us, one kind of happening at a time, so that a test chooses their order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from desired.contexts import configuration
from desired.contexts import manifest as resource_manifest
from pgherd.api.postgresql import parse_postgresql
from pgherd.controllers.planning import tear_down
from pgherd.desired.replicas import replica_count
from pgherd.facts.instances import TEMPLATE_DIGEST
from pgherd.facts.members import ClusterView
from pgherd.facts.observed import Observed
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.facts.unknown import Unknown
from pgherd.facts.view import View
from pgherd.kube import views
from pgherd.observe.instances import instances
from pgherd.plan.plan import Plan
from pgherd.plan.planner import plan_cluster
from pgherd.plan.scene import Scene
from pgherd.plan.status import Account, derive_status
from pgherd.plan.steps import (
    Apply,
    CreateSecret,
    Delete,
    Impact,
    PatchDynamicConfiguration,
    PatchObject,
    RecreatePod,
    RestartMember,
    Step,
    Switchover,
    Wait,
)
from pgherd.plan.template import images, template_of
from plan.worlds import KEY, NOW, One, applied, context, decoded, member_of, pod

SICK_CPU = "99"
"""A pod that asks for so much never runs: the model's broken template."""

HAPPENINGS = ("controller", "seen", "pods", "gone", "join", "catch up", "elect", "flag restarts")


@dataclass
class Stored:
    """One object, as last written by us."""

    manifest: dict[str, Any]
    whole: dict[str, Any]
    uid: str
    generation: int = 1
    seen: int = 0
    edited: bool = False
    by_apply: bool = True

    def view(self) -> View:
        identity = {"uid": self.uid, "resourceVersion": "7", "generation": self.generation}
        if not self.by_apply:
            body = views.plain(self.manifest)
            return decoded({**body, "metadata": {**body["metadata"], **identity}})
        whole = {**self.whole, "status": {"observedGeneration": self.seen}}
        return applied(self.manifest, edited=self.edited, whole=whole, identity=identity)


@dataclass
class Member:
    """A pod and what runs in it. ``started``: value of ``max_connections`` that PostgreSQL started with."""

    one: One
    uid: str
    template: str
    images: Mapping[str, str]
    sick: bool
    started: str = ""


class Model:
    """One cluster. ``spec`` and ``options`` as for :func:`plan.worlds.scene`."""

    def __init__(self, options: Mapping[str, Any] | None = None, **spec: Any) -> None:
        self.options = dict(options or {})
        self.spec: dict[str, Any] = {"numberOfInstances": 2, **spec}
        self.generation = 1
        self.status: dict[str, Any] = {}
        self.finalizers: list[str] = []
        self.deleting = False
        self.objects: dict[tuple[str, str], Stored] = {}
        self.members: dict[int, Member] = {}
        self.claims: dict[int, str] = {}
        self.dynamic: dict[str, Any] | None = None
        self.timeline = 1
        self.answers = True
        self.passes = 0
        self._made = 0

    # --- what a person does

    def change(self, **spec: Any) -> None:
        self.spec |= spec
        self.generation += 1

    # --- what the operator sees and does

    def scene(self) -> Scene:
        seen = self.observe()
        config = configuration(**self.options)
        return Scene(seen, config, context(seen, config), NOW)

    def plan(self) -> Plan:
        if self.deleting:
            return tear_down(self.observe(), configuration(**self.options), NOW).plan
        return plan_cluster(self.scene())

    def observe(self) -> Observed:
        config = configuration(**self.options)
        resource = self._resource()
        children: dict[str, dict[str, View]] = {}
        for (kind, name), stored in self.objects.items():
            children.setdefault(kind, {})[name] = stored.view()
        for ordinal, member in self.members.items():
            body = pod(ordinal, member.one, member.template, member.images)
            body["metadata"]["uid"] = member.uid
            children.setdefault("Pod", {})[body["metadata"]["name"]] = decoded(body)
        for ordinal, size in self.claims.items():
            claim = self._claim(ordinal, size)
            children.setdefault("PersistentVolumeClaim", {})[claim.metadata.name] = claim
        manifest = parse_postgresql(resource)
        cluster = self._cluster()
        bare = Observed(KEY, views.decode(Resource, msgspec.json.encode(resource)), manifest, children)
        account = config.kubernetes.pod_service_account_name
        known = {
            kind: frozenset({account} if (kind, account) in self.objects else ())
            for kind in ("ServiceAccount", "RoleBinding")
        }
        found = instances(bare.pods, cluster, config.kubernetes.pod_role_label)
        return replace(bare, cluster=cluster, instances=found, surroundings=known)

    def reconcile(self) -> Plan:
        """One pass: plan, act, status. Returns the plan."""
        self.passes += 1
        made = self.plan()
        self.act(made)
        if not self.deleting:
            self.status = self.derive(made)
        return made

    def derive(self, made: Plan) -> dict[str, Any]:
        seen = self.scene()
        account = Account(seen.observed, made, replica_count(seen.context), former=self.status)
        return derive_status(account, "2026-03-02T12:00:00Z")

    def act(self, made: Plan) -> None:
        noticed = [step for step in made.steps if step.impact not in (Impact.NONE, Impact.RELOAD)]
        noticed += [step for step in made.steps if isinstance(step, Apply) and self._shrinks(step)]
        assert self.deleting or len(noticed) <= 1, [step.describe() for step in noticed]
        for step in made.effects:
            self.run(step)

    def run(self, step: Step) -> None:
        match step:
            case Apply():
                self._apply(step)
            case CreateSecret():
                assert ("Secret", _name(step)) not in self.objects
                self.objects["Secret", _name(step)] = Stored(step.manifest, {}, self._uid(), by_apply=False)
            case RecreatePod():
                self._recreate(step)
            case Delete():
                self._delete(step)
            case PatchObject():
                self._patch(step)
            case PatchDynamicConfiguration():
                assert self.answers
                assert self.dynamic is not None
                _merge(self.dynamic, step.patch)
            case RestartMember():
                self._restart(step)
            case Switchover():
                self._switch(step)
            case Wait():
                pass
            case _:
                raise AssertionError(f"the model has no {type(step).__name__}")

    # --- what happens without us

    def nature(self, happening: str) -> bool:
        """Whether anything happened."""
        before = self._picture()
        actions: dict[str, Callable[[], None]] = {
            "controller": self._controller,
            "seen": self._seen,
            "pods": self._start_pods,
            "gone": self._end_pods,
            "join": self._join,
            "catch up": self._catch_up,
            "elect": self._elect,
            "flag restarts": self._flag_restarts,
        }
        actions[happening]()
        return self._picture() != before

    def all_nature(self) -> bool:
        moved = [self.nature(happening) for happening in HAPPENINGS]
        return any(moved)

    def settle(self, passes: int = 200) -> None:
        """Fair passes until nothing is planned and nothing happens; AssertionError when that takes too many."""
        self.answers = True
        made = Plan(KEY)
        for _ in range(passes):
            made = self.reconcile()
            moved = self.all_nature()
            if not moved and not list(made.steps) and not made.blocked:
                return
        raise AssertionError(f"no end in sight: {[step.describe() for step in made.steps]} {made.blocked} {self}")

    @property
    def wanted(self) -> int:
        return int(self.spec["numberOfInstances"])

    @property
    def leader(self) -> int | None:
        return next((ordinal for ordinal, one in self.members.items() if one.one.role == "leader"), None)

    def __str__(self) -> str:
        told = [
            f"{ordinal}: {one.one.role or '-'} {one.one.state} {one.one.pod}" for ordinal, one in self.members.items()
        ]
        return f"{self.wanted} wanted, {'; '.join(told)}"

    # --- steps

    def _apply(self, step: Apply) -> None:
        kind, name = step.manifest["kind"], _name(step)
        known = self.objects.get((kind, name))
        if known is None:
            self.objects[kind, name] = Stored(step.manifest, {}, self._uid())
            return
        if kind == "Secret":
            assert "data" not in step.manifest
            whole = known.whole or views.plain(known.manifest)
            assert not known.by_apply or whole == known.whole
            self.objects[kind, name] = replace(known, manifest=step.manifest, whole=whole, by_apply=True)
            return
        changed = known.manifest.get("spec") != step.manifest.get("spec") or known.edited
        generation = known.generation + changed
        self.objects[kind, name] = replace(known, manifest=step.manifest, edited=False, generation=generation)

    def _recreate(self, step: RecreatePod) -> None:
        ordinal = int(step.name.rpartition("-")[2])
        target = self.members[ordinal]
        assert target.uid == step.uid
        others = {number: one for number, one in self.members.items() if number != ordinal}
        assert not any(one.one.pod == "terminating" for one in others.values()), "two pods at once"
        if _is_healthy(target.one):
            assert self.answers, "a healthy copy is given up blind"
            assert all(_is_healthy(one.one) and one.one.lag == 0 for one in others.values()), f"{step} {self}"
            assert len(self.members) >= self.wanted, "a healthy copy is given up while members are missing"
        assert target.one.role != "leader" or not others, "the leader is taken from its followers"
        stored = self.objects["StatefulSet", KEY.name]
        assert stored.seen == stored.generation, "its controller does not know the template yet"
        target.one = target.one.but(pod="terminating")

    def _delete(self, step: Delete) -> None:
        if step.kind == "Pod":
            assert self.deleting
            self.members[int(step.name.rpartition("-")[2])].one = One(pod="terminating")
            return
        if step.kind == "PersistentVolumeClaim":
            assert self.deleting
            assert not self.members, "a claim goes before its pod"
            del self.claims[int(step.name.rpartition("-")[2])]
            return
        stored = self.objects[step.kind, step.name]
        assert stored.uid == step.uid
        if step.kind == "StatefulSet":
            assert step.propagation == "Orphan"
        else:
            assert self.deleting, step.describe()
            assert not self.members, "the pods still need it"
        del self.objects[step.kind, step.name]

    def _patch(self, step: PatchObject) -> None:
        if step.kind == "Pod":
            member = self.members[int(step.name.rpartition("-")[2])]
            annotations: dict[str, Any] = dict(member.one.annotations)
            _merge(annotations, step.patch["metadata"]["annotations"])
            member.template = annotations.pop(TEMPLATE_DIGEST, member.template)
            member.one = member.one.but(annotations=annotations)
        elif step.kind == "PersistentVolumeClaim":
            size = step.patch["spec"]["resources"]["requests"]["storage"]
            self.claims[int(step.name.rpartition("-")[2])] = size
        else:
            assert step.kind == "postgresql"
            self.finalizers = step.patch["metadata"]["finalizers"]

    def _restart(self, step: RestartMember) -> None:
        member = self.members[int(step.member.rpartition("-")[2])]
        assert self.answers
        others = [one.one for one in self.members.values() if one is not member]
        assert all(_is_healthy(one) for one in others), "a restart while another one is not well"
        member.started = self._connections()
        member.one = member.one.but(state="starting", pending=())

    def _switch(self, step: Switchover) -> None:
        old, new = (int(name.rpartition("-")[2]) for name in (step.leader, step.candidate))
        assert self.answers
        assert self.leader == old
        assert _is_healthy(self.members[new].one)
        assert self.members[new].one.lag == 0
        self.members[old].one = self.members[old].one.but(role="replica", state="starting")
        self._promote(new)

    # --- happenings

    def _controller(self) -> None:
        """One move of the StatefulSet controller, pods in order."""
        stored = self.objects.get(("StatefulSet", KEY.name))
        if stored is None:
            return
        spec = stored.manifest["spec"]
        ordered = spec["podManagementPolicy"] == "OrderedReady"
        for ordinal in range(spec["replicas"]):
            member = self.members.get(ordinal)
            if member is None:
                self._create_pod(ordinal, stored)
            if ordered and not (member and _is_healthy(member.one)):
                return
        for ordinal in sorted(self.members, reverse=True):
            if ordinal >= spec["replicas"] and self.members[ordinal].one.pod != "terminating":
                assert self.leader != ordinal or spec["replicas"] == 0, "the leader is removed"
                self.members[ordinal].one = self.members[ordinal].one.but(pod="terminating")
                return

    def _create_pod(self, ordinal: int, stored: Stored) -> None:
        template = stored.manifest["spec"]["template"]
        self.claims.setdefault(ordinal, self.spec["volume"]["size"] if "volume" in self.spec else "5Gi")
        annotations = {k: v for k, v in template["metadata"].get("annotations", {}).items() if k != TEMPLATE_DIGEST}
        self.members[ordinal] = Member(
            One(role="", state="", pod="starting", annotations=annotations),
            self._uid(),
            template_of(stored.manifest),
            images(stored.manifest),
            sick=template["spec"]["containers"][0]["resources"]["requests"]["cpu"] == SICK_CPU,
        )

    def _seen(self) -> None:
        for stored in self.objects.values():
            stored.seen = stored.generation

    def _start_pods(self) -> None:
        for member in self.members.values():
            if member.one.pod == "starting":
                member.one = member.one.but(pod="crashing" if member.sick else "running")

    def _end_pods(self) -> None:
        for ordinal in [number for number, one in self.members.items() if one.one.pod == "terminating"]:
            del self.members[ordinal]

    def _join(self) -> None:
        """A pod that runs becomes a member: the first of all bootstraps, others copy or rejoin."""
        for ordinal, member in self.members.items():
            if member.one.pod != "running" or member.one.role:
                continue
            member.started = self._connections()
            if self.dynamic is None:
                self.dynamic = {"ttl": 30, "loop_wait": 10, "postgresql": {"parameters": {}}}
                self._promote(ordinal)
            else:
                member.one = member.one.but(role="replica", state="starting", timeline=self.timeline)

    def _catch_up(self) -> None:
        leader = self.leader
        for ordinal, member in self.members.items():
            if ordinal == leader and member.one.pod == "running":
                member.one = member.one.but(state="running")
            elif member.one.pod == "running" and member.one.role and leader is not None:
                member.one = member.one.but(state="streaming", timeline=self.timeline, lag=0)

    def _elect(self) -> None:
        able = [number for number, one in self.members.items() if one.one.pod == "running" and one.one.role]
        if self.leader is not None and self.members[self.leader].one.pod == "running":
            return
        if self.leader is not None:
            self.members[self.leader].one = self.members[self.leader].one.but(role="replica", state="stopped")
        if able:
            self._promote(min(able))

    def _flag_restarts(self) -> None:
        wanted = self._connections()
        for member in self.members.values():
            pending = (("max_connections", member.started, wanted),) if member.started != wanted else ()
            if member.one.role:
                member.one = member.one.but(pending=pending)

    # --- helpers

    def _promote(self, ordinal: int) -> None:
        self.timeline += 1
        self.members[ordinal].one = self.members[ordinal].one.but(
            role="leader", state="running", timeline=self.timeline, lag=0
        )

    def _connections(self) -> str:
        return str((self.dynamic or {}).get("postgresql", {}).get("parameters", {}).get("max_connections", "100"))

    def _shrinks(self, step: Apply) -> bool:
        stored = self.objects.get(("StatefulSet", _name(step)))
        if step.manifest["kind"] != "StatefulSet" or stored is None:
            return False
        return bool(step.manifest["spec"]["replicas"] < stored.manifest["spec"]["replicas"])

    def _cluster(self) -> ClusterView | Unknown:
        if not self.answers:
            return Unknown("no route to host")
        running = [(number, one.one) for number, one in self.members.items() if one.one.pod == "running"]
        if not running:
            return Unknown("no pod runs")
        known = [(number, one.one) for number, one in self.members.items() if one.one.role]
        dynamic = Unknown("not bootstrapped") if self.dynamic is None else dict(self.dynamic)
        return ClusterView(tuple(member_of(*one) for one in known), KEY.name, dynamic=dynamic)

    def _resource(self) -> dict[str, Any]:
        made = resource_manifest(**self.spec)
        metadata = {**made["metadata"], "resourceVersion": "5", "generation": self.generation}
        metadata |= {"finalizers": self.finalizers} | ({"deletionTimestamp": "x"} if self.deleting else {})
        return {**made, "metadata": metadata, "status": self.status}

    def _claim(self, ordinal: int, size: str) -> View:
        name = f"pgdata-{KEY.name}-{ordinal}"
        body = {"kind": "PersistentVolumeClaim", "spec": {"resources": {"requests": {"storage": size}}}}
        return decoded({**body, "metadata": {"name": name, "namespace": KEY.namespace, "uid": f"claim-{ordinal}"}})

    def _uid(self) -> str:
        self._made += 1
        return f"uid-{self._made}"

    def _picture(self) -> tuple[Any, ...]:
        members = tuple((number, one.one, one.started) for number, one in sorted(self.members.items()))
        return members, tuple(stored.seen for stored in self.objects.values()), self.dynamic is None


def _name(step: Apply | CreateSecret) -> str:
    return str(step.manifest["metadata"]["name"])


def _is_healthy(one: One) -> bool:
    return one.pod == "running" and bool(one.role) and one.state in ("running", "streaming")


def _merge(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """JSON merge patch, in place."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = dict(value) if isinstance(value, Mapping) else value
