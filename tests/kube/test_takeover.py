"""A cluster of the reference operator becomes ours and nobody notices.

The objects are those of the specification's worked examples, written as the reference writes them: created, by plain
update, under its manager's name. The API server adds what it adds. Then the operator looks, plans and acts.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from desired.contexts import configuration
from golden.files import load, objects
from golden.normalise import normalised
from kube.conftest import new_namespace, serve_postgresqls
from pgherd.act.clients import Clients, Target
from pgherd.act.executor import act
from pgherd.act.objects import adopt
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.controllers.planning import Prospect, prospect
from pgherd.facts.instances import ROLLING_UPDATE_FLAG, ROLLING_UPDATE_REASON, TEMPLATE_DIGEST
from pgherd.facts.key import Key
from pgherd.kube import views
from pgherd.kube.adoption import adopt as take_fields
from pgherd.kube.caches import Caches
from pgherd.kube.client import Kube, Selection
from pgherd.kube.connection import Call
from pgherd.kube.resources import (
    CHILDREN,
    CONFIG_MAPS,
    CRON_JOBS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    POSTGRESQLS,
    SECRETS,
    STATEFUL_SETS,
    Resource,
    resource_of,
)
from pgherd.observe.databases import Databases
from pgherd.observe.named_objects import NamedObjectsReader
from pgherd.observe.observer import Observer
from pgherd.observe.surroundings import Surroundings
from pgherd.plan.steps import Adopt

REFERENCE = "postgres-operator"


@dataclass
class Adopted:
    """A cluster that the reference made on a real server."""

    kube: Kube
    http: aiohttp.ClientSession
    config: OperatorConfiguration
    key: Key
    before: dict[str, Any] = field(default_factory=dict)

    async def look(self) -> Prospect:
        caches = Caches(self.config.kubernetes.cluster_name_label)
        for resource in CHILDREN:
            selection = Selection(self.key.namespace, f"{caches.label}={self.key.name}")
            for view in await self.kube.list(resource, selection):
                caches.absorb(resource, view)
        named = NamedObjectsReader(self.kube, self.key.namespace)
        observer = Observer(caches, self.http, Surroundings(self.kube), named, self.kube.learned)
        resource_seen = await self.kube.get(POSTGRESQLS.at(*self.key))
        observed = await observer.observe(self.key, resource_seen, self.config)
        return await prospect(observed, self.config, Databases(), datetime.now(UTC))

    async def run(self) -> list[str]:
        """One pass; what it did."""
        ahead = await self.look()
        assert not ahead.plan.faults, ahead.plan.faults
        outcome = await act(ahead.plan, Clients(self.kube, self.http), Target(), lambda step: None)
        assert not outcome.failed, {name: [str(one) for one in all_] for name, all_ in outcome.failed.items()}
        return [step.describe() for step in outcome.done]

    async def whole(self, resource: Resource[Any], name: str) -> dict[str, Any]:
        return await self.kube.get(resource.whole().at(self.key.namespace, name))

    async def pods(self) -> dict[str, dict[str, Any]]:
        selection = Selection(self.key.namespace, f"cluster-name={self.key.name}")
        found = await self.kube.list(PODS.whole(), selection)
        return {pod["metadata"]["name"]: pod for pod in found}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def as_reference(kube: Kube, manifest: dict[str, Any], manager: str = REFERENCE) -> None:
    resource = resource_of(manifest["kind"])
    path = resource.path(manifest["metadata"]["namespace"])
    await kube.connection.fetch(Call("POST", path, "create", {"fieldManager": manager}, views.plain(manifest)))


async def merge(kube: Kube, resource: Resource[Any], where: tuple[str, str], body: Any) -> None:
    """A patch by the reference."""
    path = resource.at(*where).path
    kind = "application/merge-patch+json"
    await kube.connection.fetch(Call("PATCH", path, "patch", {"fieldManager": REFERENCE}, body, kind))


async def cluster_of_the_reference(kube: Kube, http: aiohttp.ClientSession, example: str, **changes: Any) -> Adopted:
    """``changes`` are options of the configuration that pgherd is started with."""
    await serve_postgresqls(kube)
    namespace = await new_namespace(kube)
    resource = load(example, "input.yaml")
    old = resource["metadata"]["namespace"], resource["metadata"].pop("uid")
    await kube.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    resource = moved(resource, old, (namespace, ""))
    path = POSTGRESQLS.path(namespace)
    made = views.mapping.decode(
        await kube.connection.fetch(Call("POST", path, "create", {"fieldManager": "kubectl-create"}, resource))
    )
    uid, name = made["metadata"]["uid"], resource["metadata"]["name"]
    children = [moved(child, old, (namespace, uid)) for child in objects(example).values()]
    await surroundings(kube, example, namespace)
    (template,) = [child for child in children if child["kind"] == "StatefulSet"]
    for ordinal in range(template["spec"]["replicas"]):
        await as_reference(kube, pod_of(template, ordinal), "kube-controller-manager")
    for child in children:
        await as_reference(kube, child)
    options = load("b", "configuration.yaml") | {"pod_environment_configmap": "pg-env"} if example == "b" else {}
    options |= {"kubernetes_use_configmaps": False} if example == "c" else {}
    adopted = Adopted(kube, http, configuration(**{**options, **changes}), Key(namespace, name))
    adopted.before = await adopted.pods()
    assert adopted.before
    return adopted


async def surroundings(kube: Kube, example: str, namespace: str) -> None:
    """What is there before: account and binding of the pods, and what the configuration of B names."""
    place = {"namespace": namespace}
    await as_reference(
        kube, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "postgres-pod", **place}}
    )
    group = "rbac.authorization.k8s.io"
    binding = {"apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": {"name": "postgres-pod", **place}}
    await as_reference(
        kube, {**binding, "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "postgres-pod"}, "subjects": []}
    )
    if example == "b":
        head = {"apiVersion": "v1", "metadata": {"name": "pg-env", **place}}
        await kube.create(CONFIG_MAPS, {**head, "kind": "ConfigMap", "data": load("b", "environment.yaml")})
        keys = {"AWS_SECRET_ACCESS_KEY": "eA==", "AWS_ACCESS_KEY_ID": "eA=="}
        secret = {**head, "kind": "Secret", "metadata": {"name": "pg-env-secret", **place}, "data": keys}
        await kube.create(SECRETS, secret)


def moved(thing: Any, old: tuple[str, str], new: tuple[str, str]) -> Any:
    """The same in another namespace, for a resource with another uid."""
    if isinstance(thing, dict):
        return {key: moved(value, old, new) for key, value in thing.items()}
    if isinstance(thing, list):
        return [moved(value, old, new) for value in thing]
    if isinstance(thing, str):
        return new[0] if thing == old[0] else thing.replace(old[1], new[1]).replace(f".{old[0]}.", f".{new[0]}.")
    return thing


def pod_of(statefulset: dict[str, Any], ordinal: int) -> dict[str, Any]:
    """As the StatefulSet controller makes it."""
    name = f"{statefulset['metadata']['name']}-{ordinal}"
    template = copy.deepcopy(statefulset["spec"]["template"])
    claim = {"name": "pgdata", "persistentVolumeClaim": {"claimName": f"pgdata-{name}"}}
    spec = template["spec"]
    spec["volumes"] = [*(spec.get("volumes") or []), claim]
    metadata = {**template["metadata"], "name": name, "namespace": statefulset["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def told(ahead: Prospect) -> list[tuple[str, str]]:
    return [(step.describe(), step.reason) for step in ahead.plan.effects]


def untouched(before: dict[str, Any], after: dict[str, Any]) -> None:
    """No pod was made anew, ended or changed but in its annotations."""
    assert before.keys() == after.keys()
    for name, pod in before.items():
        same = after[name]
        assert same["metadata"]["uid"] == pod["metadata"]["uid"]
        assert "deletionTimestamp" not in same["metadata"]
        assert same["spec"] == pod["spec"]
        assert same["metadata"]["labels"] == pod["metadata"]["labels"]


@pytest.mark.parametrize("example", ["a", "b", "c"])
async def test_nothing_but_an_adoption(kube: Kube, http: aiohttp.ClientSession, example: str) -> None:
    adopted = await cluster_of_the_reference(kube, http, example)
    name = adopted.key.name
    secrets = {view.metadata.name: view.data for view in await kube.list(SECRETS, Selection(adopted.key.namespace))}
    deployments = {
        view["metadata"]["name"]: view
        for view in await kube.list(DEPLOYMENTS.whole(), Selection(adopted.key.namespace))
    }
    statefulset = await adopted.whole(STATEFUL_SETS, name)
    ahead = await adopted.look()
    assert [type(step) for step in ahead.plan.effects] == [Adopt], told(ahead)
    assert not ahead.plan.blocked
    await adopted.run()

    second = await adopted.look()
    assert told(second) == []
    pods = await adopted.pods()
    untouched(adopted.before, pods)
    after = await adopted.whole(STATEFUL_SETS, name)
    digest = after["spec"]["template"]["metadata"]["annotations"].pop(TEMPLATE_DIGEST)
    assert {pod["metadata"]["annotations"][TEMPLATE_DIGEST] for pod in pods.values()} == {digest}
    assert normalised(after)["spec"] == normalised(statefulset)["spec"]
    for view in await kube.list(SECRETS, Selection(adopted.key.namespace)):
        assert view.data == secrets[view.metadata.name]
    for view in await kube.list(DEPLOYMENTS.whole(), Selection(adopted.key.namespace)):
        assert view["spec"] == deployments[view["metadata"]["name"]]["spec"], "any change would replace pooler pods"


async def test_an_adoption_that_was_cut_short_goes_on(kube: Kube, http: aiohttp.ClientSession) -> None:
    adopted = await cluster_of_the_reference(kube, http, "a")
    (step,) = (await adopted.look()).plan.effects
    assert isinstance(step, Adopt)
    await adopt(kube, replace(step, adoptions=step.adoptions[:3], pods=step.pods[:1]))
    last = step.adoptions[3].manifest
    await take_fields(kube, last)  # died between the two halves of one
    (rest,) = (await adopted.look()).plan.effects
    assert isinstance(rest, Adopt)
    assert rest.pods == step.pods[1:]
    await adopted.run()
    assert told(await adopted.look()) == []
    untouched(adopted.before, await adopted.pods())
    assert all(pod["metadata"]["annotations"][TEMPLATE_DIGEST] for pod in (await adopted.pods()).values())


async def test_what_needs_new_pods_is_flagged_before_it_is_written(kube: Kube, http: aiohttp.ClientSession) -> None:
    """The reason outlives the overwritten template, whenever we die."""
    adopted = await cluster_of_the_reference(kube, http, "a", default_cpu_request="200m", pam_role_name="people")
    done = await adopted.run()
    first, second = "acid-demo-0", "acid-demo-1"
    assert done[0] == f"ask for a rolling update on Pod/{first}"
    assert done[1] == f"ask for a rolling update on Pod/{second}"
    assert "apply StatefulSet/acid-demo" in done
    for pod in (await adopted.pods()).values():
        annotations = pod["metadata"]["annotations"]
        assert annotations[ROLLING_UPDATE_FLAG] == "true"
        assert annotations[ROLLING_UPDATE_REASON] == (
            "container postgres: resources, container postgres: env HUMAN_ROLE"
        )
    untouched(adopted.before, await adopted.pods())


async def test_a_field_that_is_not_wanted_any_more_goes(kube: Kube, http: aiohttp.ClientSession) -> None:
    adopted = await cluster_of_the_reference(kube, http, "a")
    annotations = {"metadata": {"annotations": {"former": "x"}}}
    await merge(kube, resource_of("Service"), (adopted.key.namespace, "acid-demo-repl"), annotations)
    await adopted.run()
    service = await adopted.whole(resource_of("Service"), "acid-demo-repl")
    assert "former" not in service["metadata"]["annotations"]


async def test_the_backup_job_and_poolers_of_a_full_cluster(kube: Kube, http: aiohttp.ClientSession) -> None:
    """After the adoption our own digests tell: a change of one thing is one step."""
    adopted = await cluster_of_the_reference(kube, http, "b")
    await adopted.run()
    change = {"spec": {"logicalBackupSchedule": "7 7 * * *"}}
    await merge(kube, POSTGRESQLS, tuple(adopted.key), change)  # type: ignore[arg-type]
    assert [step.describe() for step in (await adopted.look()).plan.effects] == [
        "apply CronJob/logical-backup-acid-shop"
    ]
    await adopted.run()
    job = await adopted.whole(CRON_JOBS, "logical-backup-acid-shop")
    assert job["spec"]["schedule"] == "7 7 * * *"
