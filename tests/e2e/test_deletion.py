"""A cluster is deleted: what goes, in which order, what stays, what forbids it, with finalizers and without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise

import pytest

from clusters import Cluster
from platforms import Platform, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("e2e-crashes")]

DATE, NAME = "delete-date", "delete-clustername"
PROTECTED = {"delete_annotation_date_key": DATE, "delete_annotation_name_key": NAME}
DEFAULTS = {
    "enable_finalizers": True,
    "enable_persistent_volume_claim_deletion": True,
    "enable_secrets_deletion": True,
    "delete_annotation_date_key": "",
    "delete_annotation_name_key": "",
}
ORDER = (
    ("apps/v1", "statefulsets"),
    ("v1", "pods"),
    ("v1", "persistentvolumeclaims"),
    ("v1", "secrets"),
    ("policy/v1", "poddisruptionbudgets"),
    ("v1", "services"),
    ("v1", "endpoints"),
)
"""Groups of the reference (spec lifecycle 2.6); the last two go together, and the resource itself goes at the end."""


def deletions(machine: Platform, since: str, cluster: str) -> Mapping[str, list[int]]:
    """Versions at which children of a cluster went, by kind, read from the watches' memory."""
    found: dict[str, list[int]] = {}
    for group, plural in (*ORDER, ("acid.zalan.do/v1", "postgresqls")):
        query = f"?watch=1&resourceVersion={since}&timeoutSeconds=1"
        text = machine.api.stream(f"{machine.api.root(group)}/{plural}{query}")
        for line in text.splitlines():
            event = json.loads(line)
            metadata = event["object"]["metadata"]
            mine = metadata.get("labels", {}).get("cluster-name") == cluster or metadata["name"] == cluster
            if event["type"] == "DELETED" and mine:
                found.setdefault(plural, []).append(int(metadata["resourceVersion"]))
    return found


def delete(machine: Platform, cluster: Cluster) -> str:
    """Returns the version before."""
    version = str(machine.api.get(f"{machine.core}/pods")["metadata"]["resourceVersion"])
    machine.api.call("DELETE", cluster.path)
    return version


def allow(machine: Platform, cluster: Cluster) -> None:
    """The annotations that the configuration asks for."""
    machine.api.merge(cluster.path, {"metadata": {"annotations": {DATE: machine.today(), NAME: cluster.name}}})


def test_order_of_children(machine: Platform, pair: Cluster) -> None:
    """With a finalizer the resource stays until the last child has gone; claims and Secrets go by default."""
    cluster = pair
    machine.configure(kubernetes=DEFAULTS)
    since = delete(machine, cluster)
    eventually(lambda: machine.api.find(cluster.path) is None, "it is deleted")
    assert nothing_left(cluster)
    went = deletions(machine, since, cluster.name)
    in_order(went)
    assert min(went["postgresqls"]) > max(version for kind in went if kind != "postgresqls" for version in went[kind])


def test_claims_that_stay_are_found_again(machine: Platform) -> None:
    """With new Secrets, and beside a member that has no data yet and must not begin a cluster of its own."""
    kept = {"enable_persistent_volume_claim_deletion": False}
    machine.configure(kubernetes={**DEFAULTS, **PROTECTED, **kept})
    cluster = Cluster(machine.api, "acid-phoenix").create(numberOfInstances=1)
    cluster.wait_settled(members=1)
    with cluster.connect() as session:
        session.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    claims = {name: one["metadata"]["uid"] for name, one in cluster.children("persistentvolumeclaims").items()}
    identifier = cluster.ask("SELECT system_identifier FROM pg_control_system()")
    pods, password = set(cluster.pods()), cluster.password("postgres")

    delete(machine, cluster)
    eventually(lambda: DATE in cluster.condition("Progressing").get("message", ""), "the status says what is missing")
    assert cluster.resource["metadata"]["deletionTimestamp"]
    assert set(cluster.pods()) == pods
    assert cluster.ask("SELECT answer FROM kept") == 42
    allow(machine, cluster)
    eventually(lambda: machine.api.find(cluster.path) is None, "it is deleted")
    left = {plural for group, plural in ORDER if cluster.children(plural, group)}
    assert left == {"persistentvolumeclaims"}
    assert {name: one["metadata"]["uid"] for name, one in cluster.children("persistentvolumeclaims").items()} == claims

    cluster.create(numberOfInstances=2)
    eventually(lambda: len(cluster.pods()) == 2 and cluster.settled(), "both members are there")
    assert cluster.password("postgres") != password
    assert "bootstrap a new cluster" not in machine.api.get(f"{machine.core}/pods/{cluster.name}-1/log")
    for pod in cluster.pods().values():
        address = pod["status"]["podIP"]
        eventually(lambda at=address: cluster.ask("SELECT answer FROM kept", at) == 42, "the row is in every member")
        assert cluster.ask("SELECT system_identifier FROM pg_control_system()", address) == identifier
    assert cluster.ask("SELECT current_user", database="foo", user="foo_user") == "foo_user"


def test_without_finalizers(machine: Platform) -> None:
    """The resource is gone at once. Protected children go on and are adopted again; allowed, all but Secrets go."""
    machine.configure(
        kubernetes={**DEFAULTS, **PROTECTED, "enable_finalizers": False, "enable_secrets_deletion": False}
    )
    cluster = Cluster(machine.api, "acid-bare-life").create(numberOfInstances=2)
    cluster.wait_settled(members=2)
    assert not cluster.resource["metadata"].get("finalizers")
    pods = {name: pod["metadata"]["uid"] for name, pod in cluster.pods().items()}
    secrets = set(cluster.children("secrets"))
    delete(machine, cluster)
    assert machine.api.find(cluster.path) is None
    eventually(lambda: machine.operator.idle(), "the operator has seen it")
    assert {name: pod["metadata"]["uid"] for name, pod in cluster.pods().items()} == pods
    assert cluster.ask("SELECT 1") == 1

    cluster.create(numberOfInstances=2)
    cluster.wait_settled(members=2)
    assert {name: pod["metadata"]["uid"] for name, pod in cluster.pods().items()} == pods
    allow(machine, cluster)
    eventually(machine.operator.idle, "the operator has seen the annotations")
    since = delete(machine, cluster)
    eventually(lambda: nothing_left(cluster, but="secrets"), "all children are gone")
    in_order(deletions(machine, since, cluster.name), but="secrets")
    assert set(cluster.children("secrets")) == secrets


def in_order(went: Mapping[str, list[int]], but: str = "") -> None:
    kinds = [plural for _, plural in ORDER if plural != but]
    assert set(went) == {*kinds, "postgresqls"}
    for former, latter in pairwise(kinds[:-1]):
        assert max(went[former]) < min(went[latter]), f"{former} before {latter}"
    assert min(went[kinds[-1]]) > max(went["poddisruptionbudgets"])


def nothing_left(cluster: Cluster, but: str = "") -> bool:
    return not any(cluster.children(plural, group) for group, plural in ORDER if plural != but)
