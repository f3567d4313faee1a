"""Everything that a cluster may have beside its members: made, changed, taken away; and what others prepared for it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from clusters import Cluster
from localkube_platform import LocalkubePlatform
from pgherd.api.crd import crds
from pgherd.facts.fingerprint import APPLIED
from platforms import Platform, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("e2e-objects")]

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

PREPARED = {"username": b"foo_user", "password": b"prepared"}


@pytest.fixture
def cluster(paper: Platform) -> Iterator[Cluster]:
    made = Cluster(paper.api, "acid-children")
    yield made
    delete(made)


def delete(cluster: Cluster) -> None:
    if cluster.api.find(cluster.path):
        cluster.api.call("DELETE", cluster.path)
    eventually(lambda: not cluster.children("services"), "nothing is left")


def test_pooler_backup_and_volume(paper: Platform, cluster: Cluster) -> None:
    """A prepared Secret is taken; pooler and backup job come, change and go; a volume that cannot grow is said."""
    name = "foo-user.acid-children.credentials.postgresql.acid.zalan.do"
    data = {key: base64.b64encode(value).decode() for key, value in PREPARED.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
    paper.api.call("POST", f"{paper.core}/secrets", secret)
    cluster.create(numberOfInstances=1, enableConnectionPooler=True, enableLogicalBackup=True)
    pooler, job = f"{paper.apps}/deployments/acid-children-pooler", backup(paper)
    eventually(lambda: paper.api.find(pooler), "the pooler is made")
    eventually(lambda: paper.api.find(job), "the backup job is made")
    eventually(lambda: cluster.ask("SELECT current_user", database="foo", user="foo_user") == "foo_user", "a login")
    assert cluster.password("foo_user") == "prepared"

    cluster.change(connectionPooler={"numberOfInstances": 1}, logicalBackupSchedule="7 7 * * *")
    eventually(lambda: paper.api.get(pooler)["spec"]["replicas"] == 1, "the pooler is changed")
    eventually(lambda: paper.api.get(job)["spec"]["schedule"] == "7 7 * * *", "the backup job is changed")

    cluster.change(volume={"size": "2Gi"})
    eventually(lambda: grown(cluster) or "volume" in str(cluster.resource["status"]["conditions"]), "tried to grow")

    cluster.change(enableConnectionPooler=False, enableLogicalBackup=False)
    eventually(lambda: paper.api.find(pooler) is None, "the pooler is gone")
    eventually(lambda: paper.api.find(job) is None, "the backup job is gone")


def backup(paper: Platform) -> str:
    return f"{paper.api.root('batch/v1')}/cronjobs/logical-backup-acid-children"


def test_environment_that_the_configuration_names(paper: Platform, cluster: Cluster) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "environment"}, "data": {"COLOUR": "green"}}
    paper.api.call("POST", f"{paper.core}/configmaps", body)
    paper.configure(kubernetes={"pod_environment_configmap": f"{paper.api.namespace}/environment"})
    try:
        cluster.create(numberOfInstances=0)
        eventually(lambda: "COLOUR" in environment(cluster), "the template has it")
    finally:
        # Before the next operator, which would not know that there was something.
        delete(cluster)
        paper.configure(kubernetes={"pod_environment_configmap": ""})


def environment(cluster: Cluster) -> set[str]:
    found = cluster.children("statefulsets", "apps/v1").get(cluster.name)
    if found is None:
        return set()
    return {one["name"] for one in found["spec"]["template"]["spec"]["containers"][0]["env"]}


def test_definitions_are_brought_up_to_date_at_the_start(paper: Platform) -> None:
    paths = [f"{DEFINITIONS}/{one['metadata']['name']}" for one in crds()]
    ours = [applied(paper, path) for path in paths]
    for path in paths:
        paper.api.merge(path, {"metadata": {"annotations": {APPLIED: "of a former version"}}})
    paper.operator.stop()
    paper.operator.start()
    eventually(lambda: [applied(paper, path) for path in paths] == ours, "they are ours again")


@pytest.mark.needs("faults")
def test_deletion_during_a_look_is_not_forgotten(paper: LocalkubePlatform, cluster: Cluster) -> None:
    """Without a finalizer it is seen once: the look that it comes into had nothing to do, but is not the last."""
    cluster.create(numberOfInstances=0)
    eventually(lambda: cluster.word == "Running", "it is made")
    paper.fault("slow", verb="patch", resource="postgresqls.acid.zalan.do", subresource="status", seconds=3)
    try:
        # Something that changes nothing but the generation in the status.
        cluster.change(maintenanceWindows=["Mon:00:00-23:59"])
        eventually(paper.struck, "the status is being written")
        paper.api.call("DELETE", cluster.path)
        eventually(lambda: not cluster.children("services"), "nothing is left", seconds=60)
    finally:
        paper.clear_faults()


def applied(paper: Platform, path: str) -> str:
    return str(paper.api.get(path)["metadata"]["annotations"][APPLIED])


def grown(cluster: Cluster) -> bool:
    claims = cluster.children("persistentvolumeclaims").values()
    return {one["spec"]["resources"]["requests"]["storage"] for one in claims} == {"2Gi"}
