"""The API server misbehaves in every way that it can: what somebody did to a child is mended all the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clusters import Cluster, manifest
from localkube_platform import LocalkubePlatform
from platforms import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.needs("faults"), pytest.mark.xdist_group("e2e-objects")]

SERVICES = {"resource": "services"}
MANY = 200


@pytest.fixture(scope="module")
def bare(paper: LocalkubePlatform) -> Iterator[Cluster]:
    """A cluster without members: its children are all there is."""
    cluster = Cluster(paper.api, "acid-bare").create(numberOfInstances=0)
    eventually(lambda: cluster.word == "Running", "its children are made")
    yield cluster
    paper.clear_faults()


def selector(platform: LocalkubePlatform, cluster: Cluster) -> str:
    return str(platform.api.get(f"{platform.core}/services/{cluster.name}-repl")["spec"]["selector"]["spilo-role"])


@pytest.mark.parametrize(
    "faults",
    [
        [{"action": "cut-watch", **SERVICES}],
        [{"action": "cut-watch", "code": 410, **SERVICES}],
        [{"action": "cut-watch", "code": 500, **SERVICES}],
        [
            {"action": "status", "verb": "list", "code": 500, **SERVICES},
            {"action": "cut-watch", "code": 410, **SERVICES},
        ],
        [{"action": "delay-events", "seconds": 1.0, **SERVICES}],
        [{"action": "duplicate-events", "times": 0, **SERVICES}],
        [{"action": "status", "verb": "patch", "code": 409, "times": 2, **SERVICES}],
        [{"action": "status", "verb": "patch", "code": 429, "retry_after": 2, **SERVICES}],
        [{"action": "status", "verb": "patch", "code": 500, "times": 2, **SERVICES}],
        [{"action": "hang", "verb": "patch", "seconds": 3, **SERVICES}],
        [{"action": "cut-before", "verb": "patch", **SERVICES}],
        [{"action": "cut-after", "verb": "patch", **SERVICES}],
    ],
    ids=lambda faults: "+".join(f"{one['action']}{one.get('code', '')}" for one in faults),
)
def test_children_come_back(paper: LocalkubePlatform, bare: Cluster, faults: list[Mapping[str, Any]]) -> None:
    """One child is changed, another deleted, while the fault stands."""
    other = f"{paper.core}/services/{bare.name}"
    paper.clear_faults()
    # A watch is cut at once, so what is to come after it stands first.
    for fault in faults:
        paper.fault(**fault)
    uid = paper.api.get(other)["metadata"]["uid"]
    # The administrator's own calls meet the rules too, so what is done here is done by other verbs than those.
    changed = paper.api.get(f"{paper.core}/services/{bare.name}-repl")
    changed["spec"]["selector"]["spilo-role"] = "nobody"
    paper.api.call("PUT", f"{paper.core}/services/{bare.name}-repl", changed)
    paper.api.call("DELETE", other)
    eventually(lambda: selector(paper, bare) == "replica", "the changed one is as it was")
    eventually(lambda: (paper.api.find(other) or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid, "a new one")
    eventually(paper.struck, "the fault was met")
    paper.clear_faults()
    eventually(lambda: bare.word == "Running", "nothing bad is said about the cluster")
    assert bare.condition("Degraded")["status"] == "False"


def test_stale_list(paper: LocalkubePlatform, bare: Cluster) -> None:
    """After a 410 the list that is served is older than what was seen: nothing is made twice, nothing goes back."""
    path = f"{paper.core}/services/{bare.name}-repl"
    revision = int(paper.api.get(f"{paper.core}/services")["metadata"]["resourceVersion"])
    paper.api.merge(path, {"metadata": {"annotations": {"somebody": "was here"}}})
    late = Cluster(paper.api, "acid-late").create(numberOfInstances=0)
    eventually(lambda: late.word == "Running", "a cluster that the stale list does not know")
    uids = {name: one["metadata"]["uid"] for name, one in late.children("services").items()}
    faults: list[dict[str, Any]] = [
        {"action": "stale", "verb": "list", "revision": revision, "times": 2},
        {"action": "cut-watch", "code": 410},
    ]
    for fault in faults:
        paper.fault(**fault, **SERVICES)
    eventually(paper.struck, "the stale list was served")
    paper.api.call("DELETE", path)
    eventually(lambda: paper.api.find(path), "it is there again")
    assert {name: one["metadata"]["uid"] for name, one in late.children("services").items()} == uids
    assert late.word == "Running"


def test_younger_history(paper: LocalkubePlatform, bare: Cluster) -> None:
    """The API server comes back from a backup: versions start again from lower numbers, newer objects are gone."""
    path = f"{paper.core}/services/{bare.name}-repl"
    paper.localkube.stop()
    shutil.copy(paper.home / "objects.sqlite", paper.home / "backup.sqlite")
    paper.localkube.start()
    eventually(paper.answers, "localkube is back")
    bare.change(replicaServiceAnnotations={"history": "lost"})
    eventually(lambda: "history" in paper.api.get(path)["metadata"]["annotations"], "the change is carried out")
    forgotten = Cluster(paper.api, "acid-forgotten").create(numberOfInstances=0)
    eventually(lambda: forgotten.word == "Running", "a cluster that the backup does not know")

    paper.localkube.stop()
    for file in paper.home.glob("objects.sqlite*"):
        file.unlink()
    shutil.copy(paper.home / "backup.sqlite", paper.home / "objects.sqlite")
    paper.localkube.start()
    eventually(paper.answers, "localkube is back, with its former memory")
    assert paper.api.find(forgotten.path) is None
    # The operator's Lease may have gone back as well; it must not lead without, so it ends and is started again.
    assert "history" not in paper.api.get(path)["metadata"]["annotations"]
    paper.api.call("DELETE", path)
    eventually(lambda: paper.api.find(path), "the operator follows the new history")
    bare.change(replicaServiceAnnotations={"history": "found"})
    eventually(lambda: paper.api.get(path)["metadata"]["annotations"].get("history") == "found", "and works on it")


def test_start_against_many_clusters(paper: LocalkubePlatform) -> None:
    """An operator that starts writes nothing but what somebody edited or deleted while there was none."""
    small: dict[str, Any] = {"numberOfInstances": 0, "users": {}, "databases": {}}
    names = [f"acid-many-{number}" for number in range(MANY)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: paper.api.call("POST", paper.resources, manifest(name, **small)), names))
    eventually(lambda: all_running(paper), f"{MANY} clusters are made")
    eventually(paper.operator.idle, "nothing is left to do")

    paper.operator.kill()
    edited, deleted = f"services/{names[7]}-repl", f"services/{names[-1]}"
    paper.api.merge(f"{paper.core}/{edited}", {"spec": {"selector": {"spilo-role": "nobody"}}})
    paper.api.call("DELETE", f"{paper.core}/{deleted}")
    before = everything(paper)
    paper.clear_faults()
    paper.operator.start()
    paper.free_lease()
    eventually(lambda: paper.api.get(f"{paper.core}/{edited}")["spec"]["selector"]["spilo-role"] == "replica", "mended")
    eventually(lambda: paper.api.find(f"{paper.core}/{deleted}"), "the deleted one is back")
    eventually(paper.operator.idle, "all clusters were looked at")
    after = everything(paper)
    touched = {name for name, version in after.items() if before.get(name) != version}
    # Endpoints follow the deleted service by Kubernetes' own hand, before or after the look.
    others = {f"postgresqls/{names[7]}", f"postgresqls/{names[-1]}", f"endpoints/{names[-1]}"}
    assert touched - others == {edited, deleted}
    assert set(before) - set(after) <= others
    told = {("patch", "postgresqls.acid.zalan.do/status"), ("create", "events"), ("patch", "events")}
    assert {call: count for call, count in paper.writes().items() if call not in told} == {("patch", "services"): 2}


KINDS = {
    "services": "v1",
    "secrets": "v1",
    "configmaps": "v1",
    "endpoints": "v1",
    "serviceaccounts": "v1",
    "statefulsets": "apps/v1",
    "poddisruptionbudgets": "policy/v1",
    "postgresqls": "acid.zalan.do/v1",
}


def everything(platform: LocalkubePlatform) -> Mapping[str, str]:
    """resourceVersion of every object that an operator might write."""
    return {
        f"{plural}/{one['metadata']['name']}": one["metadata"]["resourceVersion"]
        for plural, group in KINDS.items()
        for one in platform.api.get(f"{platform.api.root(group)}/{plural}")["items"]
    }


def all_running(platform: LocalkubePlatform) -> bool:
    found = platform.api.get(platform.resources)["items"]
    words = [one.get("status", {}).get("PostgresClusterStatus") for one in found]
    return len(words) >= MANY and set(words) == {"Running"}
