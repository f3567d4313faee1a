"""What is planned for a cluster that the reference operator runs.

``golden/takeover`` holds its objects as a Kubernetes 1.34 API server serves them: those of the specification's worked
examples, with what the server adds, written by the manager ``postgres-operator``. Each test changes either what is live
or what is wanted, and says by hand what follows (spec objects.md 9.6, 10, 14).
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import yaml

from desired.contexts import configuration
from golden.files import ROOT, load
from pgherd.api.postgresql import Postgresql, parse_postgresql
from pgherd.desired.security import TAKEN_OVER
from pgherd.facts.instances import ROLLING_UPDATE_FLAG, TEMPLATE_DIGEST
from pgherd.facts.key import Key
from pgherd.facts.named_objects import NamedObjects
from pgherd.facts.observed import Observed
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.observe.instances import instances
from pgherd.plan.plan import Plan
from pgherd.plan.planner import plan_cluster
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Adopt, PatchObject
from pgherd.plan.takeover import was_taken_over
from pgherd.plan.template import template_of
from plan.worlds import NOW, applied, context, decoded

Objects = dict[str, dict[str, Any]]
Edit = Callable[[Objects], None]


@dataclass
class Cluster:
    """``spec`` and ``options`` change what is wanted, ``edit`` changes what is live."""

    example: str = "a"
    spec: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    edit: Edit = lambda live: None
    pods: dict[str, str] = field(default_factory=dict)

    @property
    def scene(self) -> Scene:
        resource = load(self.example, "input.yaml")
        resource["spec"] |= self.spec
        live = stored(self.example)
        self.edit(live)
        options = load("b", "configuration.yaml") if self.example == "b" else {}
        config = configuration(**{**options, **self.options})
        manifest = parse_postgresql(resource)
        assert isinstance(manifest, Postgresql)
        children: dict[str, Any] = {}
        for body in (*live.values(), *self._pods(live)):
            children.setdefault(body["kind"], {})[body["metadata"]["name"]] = decoded(body)
        named = NamedObjects(
            pod_configmap=load("b", "environment.yaml"),
            pod_secret_keys=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        )
        account = frozenset({"postgres-pod"})
        key = Key(resource["metadata"]["namespace"], resource["metadata"]["name"])
        seen = decoded({**resource, "metadata": {**resource["metadata"], "resourceVersion": "5"}})
        assert isinstance(seen, Resource)
        observed = Observed(
            key,
            seen,
            manifest,
            children,
            surroundings={"ServiceAccount": account, "RoleBinding": account},
            named=named if self.example == "b" else NamedObjects(),
        )
        found = instances(observed.pods, observed.cluster, config.kubernetes.pod_role_label)
        observed = replace(observed, instances=found)
        return Scene(observed, config, context(observed, config), NOW)

    def _pods(self, live: Objects) -> list[dict[str, Any]]:
        statefulset = next((body for name, body in live.items() if name.startswith("StatefulSet/")), None)
        if statefulset is None:
            return []
        template, name = statefulset["spec"]["template"], statefulset["metadata"]["name"]
        metadata = {**template["metadata"], "annotations": {**template["metadata"].get("annotations", {}), **self.pods}}
        return [
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {**metadata, "name": f"{name}-{ordinal}", "uid": f"{ordinal}", "resourceVersion": "6"},
                "spec": template["spec"],
            }
            for ordinal in range(statefulset["spec"]["replicas"])
        ]

    @property
    def plan(self) -> Plan:
        made = plan_cluster(self.scene)
        assert not made.faults
        return made

    @property
    def told(self) -> list[str]:
        """Steps but the adoption, with their reasons."""
        return [f"{step.describe()} ({step.reason})" for step in self.plan.effects if not isinstance(step, Adopt)]


def stored(example: str) -> Objects:
    files = sorted((ROOT / "takeover" / example).glob("*.yaml"))
    bodies = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    return {f"{body['kind']}/{body['metadata']['name']}": body for body in bodies}


TAKEN = "taken over from the former operator, and different: "


@pytest.mark.parametrize("example", ["a", "b"])
def test_a_cluster_as_wanted_is_adopted_in_one_step(example: str) -> None:
    cluster = Cluster(example)
    scene = cluster.scene
    (step,) = plan_cluster(scene).effects
    assert isinstance(step, Adopt)
    assert {one.subject for one in step.adoptions} == set(stored(example))
    assert {one.subject for one in step.adoptions if one.as_it_is} == {
        name for name in stored(example) if name.startswith("Deployment/")
    }
    pods = scene.observed.children["Pod"]
    assert step.pods == tuple((name, pods[name].metadata.uid) for name in sorted(pods))
    assert step.digest == template_of(scene.statefulset)
    for one in step.adoptions:
        content = one.manifest.keys() - {"apiVersion", "kind", "metadata"}
        if one.subject.startswith("Secret/"):
            assert content == ({"type", "data"} if one.subject.endswith("-u") else set()), "passwords stay theirs"
    assert "random alphanumerics" not in repr(step) + step.describe()


def set_(name: str, path: str, value: Any) -> Edit:
    """Change one live field; ``path`` with dots, a number is a place in a list; the value ``...`` removes it."""

    def edit(live: Objects) -> None:
        target: Any = live[name]
        *way, last = path.split(".")
        for part in way:
            target = target[int(part)] if part.isdigit() else target.setdefault(part, {})
        if value is ...:
            del target[last]
        else:
            target[last] = value

    return edit


def environment_of(live: Objects) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = live[ST]["spec"]["template"]["spec"]["containers"][0]["env"]
    return found


def variable(name: str, value: str) -> Edit:
    """Change one variable of the live database container."""

    def edit(live: Objects) -> None:
        next(entry for entry in environment_of(live) if entry["name"] == name)["value"] = value

    return edit


POD = "spec.template.spec"
ST = "StatefulSet/acid-demo"


@pytest.mark.parametrize(
    "edit",
    [
        set_(ST, f"{POD}.containers.0.command", ["sleep"]),
        set_(ST, f"{POD}.containers.0.imagePullPolicy", "Always"),
        set_(ST, f"{POD}.containers.0.resources.requests.memory", "102400Ki"),
        set_(ST, f"{POD}.schedulerName", "other"),
        set_(ST, "metadata.labels", {"cluster-name": "acid-demo", "team": "former"}),
        set_(ST, "metadata.annotations", {"foreign": "x"}),
        set_(ST, "spec.volumeClaimTemplates.0.metadata.labels", {"team": "former"}),
        set_(ST, "spec.volumeClaimTemplates.0.spec.resources.requests.storage", "5120Mi"),
        variable("SPILO_CONFIGURATION", '{"bootstrap":{"dcs":{"ttl":9},"initdb":[{"auth-host":"scram-sha-256"},'
                 '{"auth-local":"trust"}]},"postgresql":{}}'),
        lambda live: environment_of(live).reverse(),
        set_("Service/acid-demo", "metadata.labels", {"cluster-name": "acid-demo"}),
        set_("Service/acid-demo", "spec.ports.0.name", "other"),
    ],
    ids=lambda _: "edit",  # a function would show its address
)  # fmt: skip
def test_what_the_reference_does_not_compare_touches_no_pod(edit: Edit) -> None:
    assert Cluster(edit=edit).told == []


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (set_(ST, f"{POD}.containers.0.image", "spilo:old"), "container postgres: image"),
        (set_(ST, f"{POD}.containers.0.resources.limits.cpu", "2"), "container postgres: resources"),
        (set_(ST, f"{POD}.containers.0.ports.0.containerPort", 80), "container postgres: ports"),
        (set_(ST, f"{POD}.containers.0.volumeMounts.0.mountPath", "/x"), "container postgres: volumeMounts"),
        (set_(ST, f"{POD}.containers.0.securityContext.privileged", True), "container postgres: securityContext"),
        (set_(ST, f"{POD}.containers.0.livenessProbe", {"grpc": {"port": 1}}), "container postgres: livenessProbe"),
        (set_(ST, f"{POD}.containers.0.envFrom", [{"secretRef": {"name": "x"}}]), "container postgres: envFrom"),
        (variable("PGROOT", "/elsewhere"), "container postgres: env PGROOT"),
        (variable("SPILO_CONFIGURATION", "{}"), "container postgres: env SPILO_CONFIGURATION"),
        (lambda live: environment_of(live).pop(0), "container postgres: env SCOPE"),
        (set_(ST, f"{POD}.serviceAccountName", "former"), "serviceAccountName"),
        (set_(ST, f"{POD}.terminationGracePeriodSeconds", 9), "terminationGracePeriodSeconds"),
        (set_(ST, f"{POD}.priorityClassName", "former"), "priorityClassName"),
        (set_(ST, f"{POD}.securityContext", {"fsGroup": 7}), "securityContext"),
        (set_(ST, f"{POD}.affinity", {"nodeAffinity": {"x": [1]}}), "affinity"),
        (set_(ST, f"{POD}.topologySpreadConstraints", [{"maxSkew": 1}]), "topologySpreadConstraints"),
        (set_(ST, f"{POD}.tolerations", [{"key": "x"}]), "number of tolerations"),
        (set_(ST, f"{POD}.initContainers", [{"name": "x", "image": "y"}]), "number of init containers"),
        (set_(ST, "spec.template.metadata.labels.team", "former"), "labels of the pod template"),
    ],
    ids=lambda value: value if isinstance(value, str) else "edit",  # a function would show its address
)  # fmt: skip
def test_what_needs_new_pods_is_flagged_first_and_named(edit: Edit, reason: str) -> None:
    cluster = Cluster(edit=edit)
    assert cluster.told == [
        f"ask for a rolling update on Pod/acid-demo-0 (it was made from another template: {reason})",
        f"ask for a rolling update on Pod/acid-demo-1 (it was made from another template: {reason})",
        f"apply {ST} ({TAKEN}{reason})",
    ]
    pods = next(section for section in cluster.plan.sections if section.concern == "pods")
    assert "marks" in pods.needs, "a pod that could not be marked keeps the template from being overwritten"


def test_a_pod_that_is_flagged_already_is_not_flagged_again() -> None:
    edit = variable("PGROOT", "/elsewhere")
    assert Cluster(edit=edit, pods={ROLLING_UPDATE_FLAG: "true"}).told == [
        f"apply {ST} ({TAKEN}container postgres: env PGROOT)"
    ]


def test_images_do_not_count_while_upgrades_are_lazy() -> None:
    edit = set_(ST, f"{POD}.containers.0.image", "spilo:old")
    assert Cluster(edit=edit, options={"enable_lazy_spilo_upgrade": True}).told == []


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (set_(ST, "spec.replicas", 1), "spec.replicas"),
        (
            set_(ST, "spec.persistentVolumeClaimRetentionPolicy.whenScaled", "Delete"),
            "spec.persistentVolumeClaimRetentionPolicy",
        ),
        (set_(ST, "metadata.ownerReferences", [{"uid": "x"}]), "metadata.ownerReferences"),
        (set_(ST, f"{POD}.volumes", []), "number of volumes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "edit",  # a function would show its address
)
def test_what_is_written_in_place_marks_the_pods_as_up_to_date(edit: Edit, reason: str) -> None:
    cluster = Cluster(edit=edit)
    assert cluster.told[-1] == f"apply {ST} ({TAKEN}{reason})"
    digest = template_of(cluster.scene.statefulset)
    marks = [step for step in cluster.plan.effects if isinstance(step, PatchObject)]
    assert marks
    for step in marks:
        assert step.what == "mark as up to date"
        assert step.patch == {"metadata": {"annotations": {TEMPLATE_DIGEST: digest}}}


def test_a_replaced_stateful_set_leaves_its_pods() -> None:
    """The pods are marked while it still tells what they were made from."""
    assert Cluster(spec={"volume": {"size": "6Gi"}}).told == [
        "mark as up to date on Pod/acid-demo-0 (it is as wanted)",
        "mark as up to date on Pod/acid-demo-1 (it is as wanted)",
        f"delete {ST} (spec.volumeClaimTemplates changed, which Kubernetes allows only for a new StatefulSet; "
        "its pods go on)",
    ]


@pytest.mark.parametrize(
    ("name", "path", "value", "reason"),
    [
        ("Service/acid-demo", "spec.type", "NodePort", "spec.type"),
        ("Service/acid-demo", "spec.selector", {"x": "y"}, "spec.selector"),
        ("Service/acid-demo", "spec.loadBalancerSourceRanges", ["10.0.0.0/8"], "spec.loadBalancerSourceRanges"),
        ("PodDisruptionBudget/postgres-acid-demo-pdb", "spec.minAvailable", 0, "spec.minAvailable"),
        ("PodDisruptionBudget/postgres-acid-demo-pdb", "spec.selector.matchLabels.x", "y", "spec.selector"),
    ],
)
def test_other_children_of_the_small_cluster(name: str, path: str, value: Any, reason: str) -> None:
    assert Cluster(edit=set_(name, path, value)).told == [f"apply {name} ({TAKEN}{reason})"]


POOLER = "Deployment/acid-shop-pooler"
JOB = "CronJob/logical-backup-acid-shop"
CONTAINER = f"{POD}.containers.0"
JOB_POD = "spec.jobTemplate.spec.template"


@pytest.mark.parametrize(
    ("name", "path", "value", "reason"),
    [
        (POOLER, "spec.replicas", 7, "spec.replicas"),
        (POOLER, f"{CONTAINER}.image", "old", "container connection-pooler: image"),
        (POOLER, f"{CONTAINER}.resources.limits.cpu", "7", "container connection-pooler: limits"),
        (POOLER, f"{CONTAINER}.resources.limits.hugepages", "7", ""),
        (POOLER, f"{POD}.tolerations", [], ""),
        (POOLER, f"{CONTAINER}.env.11.value", "7", ""),
        (POOLER, f"{CONTAINER}.env.3.value", "former", "container connection-pooler: env PGSCHEMA"),
        (JOB, "spec.schedule", "1 1 * * *", "spec.schedule"),
        (JOB, "spec.failedJobsHistoryLimit", 9, "spec.failedJobsHistoryLimit"),
        (JOB, f"{JOB_POD}.spec.containers.0.image", "old", "container logical-backup: image"),
        (JOB, f"{JOB_POD}.spec.tolerations", [], ""),
        (JOB, "metadata.labels", {"cluster-name": "acid-shop"}, "labels"),
        ("Service/acid-shop", "spec.externalTrafficPolicy", "Local", "spec.externalTrafficPolicy"),
        ("Service/acid-shop", "metadata.annotations.owned-by", "x", "metadata.annotations[owned-by]"),
    ],
)
def test_other_children_of_the_full_cluster(name: str, path: str, value: Any, reason: str) -> None:
    expected = [f"apply {name} ({TAKEN}{reason})"] if reason else []
    assert Cluster("b", edit=set_(name, path, value)).told == expected


@pytest.mark.parametrize(("reverse", "same"), [(True, True), (False, False)])
def test_lines_of_a_user_list_have_no_order(reverse: bool, same: bool) -> None:
    def edit(live: Objects) -> None:
        data = live["Secret/acid-shop-pooler-u"]["data"]
        text = base64.b64decode(data["userlist.txt"]).decode()
        lines = [*text.splitlines(), '"robot" "x"'] if not reverse else text.splitlines()[::-1]
        data["userlist.txt"] = base64.b64encode("\n".join(lines).encode()).decode()

    assert (Cluster("b", edit=edit).told == []) is same


def test_objects_of_a_stranger_are_not_adopted() -> None:
    """Another manager wrote it: an ordinary apply, which takes nothing from it."""

    def edit(live: Objects) -> None:
        live["Service/acid-demo"]["metadata"]["managedFields"][0]["manager"] = "kubectl"

    cluster = Cluster(edit=edit)
    assert cluster.told == ["apply Service/acid-demo (what is wanted changed)"]
    (step,) = [step for step in cluster.plan.effects if isinstance(step, Adopt)]
    assert "Service/acid-demo" not in {one.subject for one in step.adoptions}


def test_what_was_adopted_before_a_crash_is_left_out() -> None:
    """It bears our annotation, and its fields are ours: digests tell."""
    cluster = Cluster()
    (step,) = cluster.plan.effects
    assert isinstance(step, Adopt)
    done = next(one.manifest for one in step.adoptions if one.subject == "Service/acid-demo")
    scene = copy.copy(cluster.scene)
    children = {kind: dict(found) for kind, found in scene.observed.children.items()}
    children["Service"]["acid-demo"] = applied(done)
    again = plan_cluster(replace(scene, observed=replace(scene.observed, children=children)))
    (rest,) = again.effects
    assert isinstance(rest, Adopt)
    assert {one.subject for one in step.adoptions} - {one.subject for one in rest.adoptions} == {"Service/acid-demo"}


RESTRICTED = {"pod_security_restricted": True}


@pytest.mark.parametrize("example", ["a", "b"])
def test_pods_that_were_taken_over_are_not_restricted_unasked(example: str) -> None:
    with_option, without = (Cluster(example, options=options).plan.effects for options in (RESTRICTED, {}))
    assert [step.describe() for step in with_option] == [step.describe() for step in without]
    (step,) = with_option
    assert isinstance(step, Adopt)


def test_pods_that_were_taken_over_are_restricted_when_the_manifest_asks() -> None:
    cluster = Cluster(spec={"podSecurityRestricted": True})
    flagged = [line for line in cluster.told if line.startswith("ask for a rolling update")]
    assert len(flagged) == 2
    assert "securityContext, container postgres: volumeMounts, container postgres: securityContext" in flagged[0]


def test_poolers_that_were_taken_over_are_restricted_when_the_manifest_asks() -> None:
    pooler = "apply Deployment/acid-shop-pooler"
    assert not [line for line in Cluster("b").told if "Deployment" in line]
    told = [line for line in Cluster("b", spec={"podSecurityRestricted": True}).told if "Deployment" in line]
    assert any(line.startswith(pooler) and "container connection-pooler: capabilities" in line for line in told), told


@pytest.mark.parametrize("gone", ["", "StatefulSet", "Service"])
def test_where_a_cluster_came_from_is_remembered(gone: str) -> None:
    """Also while one of the objects is being replaced."""
    cluster = Cluster(options=RESTRICTED)
    (step,) = cluster.plan.effects
    assert isinstance(step, Adopt)
    scene = cluster.scene
    children = {kind: dict(found) for kind, found in scene.observed.children.items()}
    for one in step.adoptions:
        kind, name = one.subject.split("/")
        children[kind][name] = applied(one.manifest)
    if gone:
        del children[gone]["acid-demo"]
    adopted = replace(scene.observed, children=children)
    assert was_taken_over(adopted)
    (left,) = [view for kind in ("StatefulSet", "Service") if (view := adopted.child(kind, "acid-demo"))][:1]
    del left.metadata.annotations[TAKEN_OVER]
    assert was_taken_over(adopted) is (gone == "")


def test_a_cluster_of_ours_was_not_taken_over() -> None:
    assert not was_taken_over(replace(Cluster().scene.observed, children={}))
