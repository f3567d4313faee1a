"""Clusters in any condition, from a few readable words: what a test of the planner starts from.

A world is what was applied earlier (``was``: the spec of that time), what is wanted now (``spec``), and the members
with whatever ails them. Children are decoded from the JSON that an API server would serve after our own applies,
``managedFields`` included, so that "nothing to do" means what it means in production.

    scene([LEADER, REPLICA], spec={"resources": {"requests": {"cpu": "1"}}}, was={})
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from desired.contexts import configuration
from desired.contexts import manifest as resource_manifest
from golden.files import PASSWORD
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql, parse_postgresql
from pgherd.controllers.context import build_context
from pgherd.desired.children import desired_children
from pgherd.desired.context import Context
from pgherd.desired.dynamic_configuration import configuration_patch, managed_keys
from pgherd.facts import fingerprint
from pgherd.facts.instances import ROLLING_UPDATE_FLAG, TEMPLATE_DIGEST
from pgherd.facts.key import Key
from pgherd.facts.members import ClusterView, Member, PendingChange, Role
from pgherd.facts.observed import NOT_ASKED, Observed
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.facts.secret import Secret
from pgherd.facts.unknown import Unknown
from pgherd.facts.view import View
from pgherd.kube import views
from pgherd.kube.resources import resource_of
from pgherd.observe.instances import instances
from pgherd.plan.deletion import FINALIZER
from pgherd.plan.managed import written
from pgherd.plan.plan import Plan
from pgherd.plan.planner import plan_cluster
from pgherd.plan.scene import Scene
from pgherd.plan.secrets import without_content
from pgherd.plan.template import images, template_of, with_digest

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = Key("pg-demo", "acid-demo")
FORMER = "00000000000000000000000000000000"
"""Digest of a template that is not wanted any more."""


@dataclass(frozen=True)
class One:
    """A pod and its member.

    ``role``: as Patroni spells it, empty when Patroni does not know the member. ``pod``: running, starting (no
    container yet), crashing, terminating, or absent. ``template``: of the live StatefulSet unless given. ``pending``:
    parameter, old and new value of what waits for a restart. ``images``: containers that run another image than the
    template's. ``message``: what the kubelet says about a crashing one. ``started``: when the pod was.
    """

    role: str = "replica"
    state: str = "streaming"
    lag: int | None = 0
    timeline: int = 1
    pod: str = "running"
    label: str | None = None
    template: str | None = None
    flagged: bool = False
    pending: tuple[tuple[str, str, str], ...] = ()
    tags: Mapping[str, Any] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    message: str = "back-off"
    started: str = "2026-03-02T11:00:00Z"

    def but(self, **changes: Any) -> One:
        return replace(self, **changes)

    @property
    def role_label(self) -> str:
        if self.label is not None:
            return self.label
        return {"leader": "master", "standby_leader": "master", "": ""}.get(self.role, "replica")


LEADER = One(role="leader", state="running")
STANDBY_LEADER = One(role="standby_leader", state="streaming")
REPLICA = One()
SYNC = One(role="sync_standby")
STARTING = One(role="", pod="starting")
CRASHING = One(role="", pod="crashing")
TERMINATING = One(pod="terminating")
ABSENT = One(pod="absent")


@dataclass(frozen=True, kw_only=True)
class World:
    """What stands around the members.

    ``spec`` is wanted, ``was`` (default: the same) was applied; ``options`` are configuration options by leaf key,
    ``had`` those at the time of the apply. ``live``: replicas of the StatefulSet where they are not those of ``was``.
    ``without``: names as ``Kind/name`` of children that do not exist; nothing was applied when it is ``"everything"``.
    ``extra``: further children as manifests that somebody else made. ``dynamic``: Patroni's configuration beyond what
    ``was`` put there. ``patroni``: why it could not be asked. ``metadata`` of the resource; ``status`` its status.
    """

    spec: Mapping[str, Any] = field(default_factory=dict)
    was: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    had: Mapping[str, Any] | None = None
    live: int | None = None
    without: Sequence[str] | str = ()
    extra: Sequence[Mapping[str, Any]] = ()
    edited: Sequence[str] = ()
    dynamic: Mapping[str, Any] = field(default_factory=dict)
    patroni: str = ""
    paused: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    status: Any = None
    statefulset_seen: bool = True


def scene(members: Sequence[One], **around: Any) -> Scene:
    """What the planner looks at. ``around``: fields of :class:`World`."""
    world = World(**around)
    observed = observe(members, world)
    config = configuration(**world.options)
    assert isinstance(observed.manifest, Postgresql)
    return Scene(observed, config, context(observed, config), NOW)


def plan(members: Sequence[One], **around: Any) -> Plan:
    return plan_cluster(scene(members, **around))


def observed(members: Sequence[One], **around: Any) -> Observed:
    return observe(members, World(**around))


def lines(made: Plan, *concerns: str) -> list[str]:
    """The plan as text: ``step (reason)``, then what is held back; of some concerns, or of all."""
    told = []
    for section in made.sections:
        if concerns and section.concern not in concerns:
            continue
        told += [f"{step.describe()} ({step.reason})" for step in section.steps]
        told += [str(blocked) for blocked in section.blocked]
        told += [f"fault: {section.fault}"] if section.fault else []
    return told


def effects(made: Plan, *concerns: str) -> list[str]:
    """What the plan changes, without reasons."""
    return [
        step.describe()
        for section in made.sections
        if not concerns or section.concern in concerns
        for step in section.steps
        if step in made.effects
    ]


# --- how it is put together -----------------------------------------------------------------------------------------


def observe(members: Sequence[One], world: World) -> Observed:
    resource = _resource(members, world)
    body = msgspec.json.encode(resource)
    seen = views.decode(Resource, body)
    bare = Observed(KEY, seen, parse_postgresql(resource))
    former = _former(members, world)
    children = _children(former, members, world)
    cluster = _cluster(members, world, former)
    found = Observed(KEY, seen, parse_postgresql(resource), children, cluster=cluster)
    return replace(
        bare,
        children=children,
        surroundings={} if world.without == "everything" else surroundings(former.config),
        instances=instances(found.pods, cluster, former.config.kubernetes.pod_role_label),
        cluster=cluster,
        catalogs=NOT_ASKED,
    )


def context(seen: Observed, config: OperatorConfiguration) -> Context:
    assert isinstance(seen.manifest, Postgresql)
    return build_context(seen, seen.manifest, config, lambda: Secret(PASSWORD), NOW)


def applied(
    manifest: Mapping[str, Any],
    *,
    edited: bool = False,
    whole: Mapping[str, Any] | None = None,
    identity: Mapping[str, Any] | None = None,
) -> View:
    """What the server serves after our apply. ``edited``: somebody took one of our fields over since.

    ``whole``: what else is in the object. ``identity``: uid, version and generation.
    """
    stamped = views.plain(fingerprint.stamped(manifest))
    owned = fingerprint.field_set(stamped)
    if edited:
        owned.pop("f:spec", None)
    manager = {"manager": "pgherd", "operation": "Apply", "fieldsV1": owned}
    body = {**views.plain(whole or {}), **stamped}
    metadata = {**stamped["metadata"], **(identity or _identity(stamped)), "managedFields": [manager]}
    return decoded({**body, "metadata": metadata})


def decoded(body: Mapping[str, Any]) -> View:
    found = views.decode(resource_of(body["kind"]).view, msgspec.json.encode(body))
    assert isinstance(found, View)
    return found


def _identity(manifest: Mapping[str, Any]) -> dict[str, Any]:
    name = manifest["metadata"]["name"]
    return {"uid": f"uid-of-{manifest['kind']}-{name}", "resourceVersion": "7", "generation": 1}


def _resource(members: Sequence[One], world: World) -> dict[str, Any]:
    spec = {"numberOfInstances": _present(members), **world.spec}
    made = resource_manifest(**spec)
    metadata = {**made["metadata"], "resourceVersion": "5", "generation": 1, **world.metadata}
    return {**made, "metadata": metadata} | ({} if world.status is None else {"status": world.status})


def _former(members: Sequence[One], world: World) -> Context:
    """The context of the last apply."""
    spec = world.spec if world.was is None else world.was
    made = resource_manifest(**{"numberOfInstances": _present(members), **spec})
    made["metadata"] = {**made["metadata"], **world.metadata, "resourceVersion": "5"}
    manifest = parse_postgresql(made)
    options = world.options if world.had is None else world.had
    none = Observed(KEY, None, manifest)
    return context(none, configuration(**options))


def _present(members: Sequence[One]) -> int:
    return sum(member.pod != "absent" for member in members)


def _children(former: Context, members: Sequence[One], world: World) -> dict[str, dict[str, View]]:
    found: dict[str, dict[str, View]] = {}
    manifests: Iterable[Mapping[str, Any]] = () if world.without == "everything" else desired_children(former)
    digest, running = FORMER, {"postgres": "unknown"}
    for manifest in manifests:
        if manifest["kind"] == "StatefulSet":
            manifest = written(_statefulset(dict(manifest), world), managed_keys(former))
            digest, running = template_of(dict(manifest)), images(dict(manifest))
        name, namespace = manifest["metadata"]["name"], manifest["metadata"].get("namespace", KEY.namespace)
        if f"{manifest['kind']}/{name}" in world.without:
            continue
        edited = f"{manifest['kind']}/{name}" in world.edited
        if manifest["kind"] == "Secret" and "password" in manifest["data"]:
            view = applied(without_content(dict(manifest)), edited=edited, whole=manifest)
        elif manifest["kind"] == "StatefulSet":
            seen = {"status": {"observedGeneration": 1 if world.statefulset_seen else 0}}
            view = applied(manifest, edited=edited, whole=seen)
        else:
            view = applied(manifest, edited=edited)
        found.setdefault(manifest["kind"], {})[_place(name, namespace)] = view
    for ordinal, member in enumerate(members):
        if member.pod != "absent":
            body = pod(ordinal, member, digest, running, former.postgresql.spec.postgresql.version)
            found.setdefault("Pod", {})[body["metadata"]["name"]] = decoded(body)
    for manifest in world.extra:
        body = {**manifest, "metadata": {"namespace": KEY.namespace, **_identity(manifest), **manifest["metadata"]}}
        place = _place(body["metadata"]["name"], body["metadata"]["namespace"])
        found.setdefault(manifest["kind"], {})[place] = decoded(body)
    return found


def _place(name: str, namespace: str) -> str:
    return name if namespace == KEY.namespace else f"{namespace}/{name}"


def _statefulset(manifest: dict[str, Any], world: World) -> dict[str, Any]:
    made = with_digest(manifest)
    if world.live is not None:
        made = {**made, "spec": {**made["spec"], "replicas": world.live}}
    return made


def pod(ordinal: int, member: One, digest: str, running: Mapping[str, str], version: str = "18") -> dict[str, Any]:
    """A pod as the API server serves it."""
    name = f"{KEY.name}-{ordinal}"
    template = digest if member.template is None else member.template
    annotations = {TEMPLATE_DIGEST: template} if template else {}
    annotations |= {ROLLING_UPDATE_FLAG: "true"} if member.flagged else {}
    container = {"running": {"startedAt": "2026-03-02T11:00:00Z"}}
    if member.pod == "crashing":
        container = {"waiting": {"reason": "CrashLoopBackOff", "message": member.message}}  # type: ignore[dict-item]
    statuses = [] if member.pod == "starting" else [{"name": "postgres", "ready": True, "state": container}]
    ready = "True" if member.pod in ("running", "terminating") and member.role else "False"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": KEY.namespace,
            "uid": f"uid-of-{name}",
            "resourceVersion": "6",
            "labels": {"cluster-name": KEY.name, "spilo-role": member.role_label},
            "annotations": {**annotations, **member.annotations},
            **({"deletionTimestamp": "2026-03-02T11:59:00Z"} if member.pod == "terminating" else {}),
        },
        "spec": {
            "containers": [
                {
                    "name": one,
                    "image": member.images.get(one, image),
                    "env": [{"name": "PGVERSION", "value": version}] if one == "postgres" else [],
                }
                for one, image in sorted(running.items())
            ]
        },
        "status": {
            "phase": "Pending" if member.pod == "starting" else "Running",
            "startTime": member.started,
            "podIP": "" if member.pod == "starting" else f"10.0.0.{ordinal}",
            "containerStatuses": statuses,
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def _cluster(members: Sequence[One], world: World, former: Context) -> ClusterView | Unknown:
    if world.patroni:
        return Unknown(world.patroni)
    known = [(ordinal, one) for ordinal, one in enumerate(members) if one.role]
    if not known:
        return Unknown("no pod runs")
    dynamic = {**configuration_patch(former, {}), **world.dynamic}
    return ClusterView(tuple(member_of(*one) for one in known), KEY.name, paused=world.paused, dynamic=dynamic)


def member_of(ordinal: int, one: One) -> Member:
    return Member(
        name=f"{KEY.name}-{ordinal}",
        role=Role(one.role),
        state=one.state,
        timeline=one.timeline,
        lag=Unknown("not told") if one.lag is None else one.lag,
        host=f"10.0.0.{ordinal}",
        pending_restart=bool(one.pending),
        pending_changes=tuple(PendingChange(*change) for change in one.pending),
        tags=one.tags,
    )


def surroundings(config: OperatorConfiguration) -> dict[str, frozenset[str]]:
    account = config.kubernetes.pod_service_account_name
    return {"ServiceAccount": frozenset({account}), "RoleBinding": frozenset({account})}


def deleted(**annotations: str) -> dict[str, Any]:
    """Metadata of a resource whose deletion was asked for and waits for our finalizer."""
    return {"deletionTimestamp": "2026-03-02T11:59:00Z", "finalizers": [FINALIZER], "annotations": annotations}
