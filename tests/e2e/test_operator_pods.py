"""The operator in pods, from its image: killed at random, with tokens that end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_client import Api, ApiRefusal
from clusters import Cluster, Writer
from kubernetes_platform import KubernetesPlatform, platform
from operator_deployment import Killer, OperatorDeployment
from platforms import Process, eventually, operator_environment
from sampling import Sampler

pytestmark = [pytest.mark.cluster, pytest.mark.needs("nodes"), pytest.mark.xdist_group("e2e-operators")]

SAFE = {"ttl": 20, "loop_wait": 2, "retry_timeout": 5, "synchronous_mode": True}


@pytest.fixture
def place() -> Iterator[KubernetesPlatform]:
    """A namespace without an operator yet."""
    with platform({"kubernetes": {"enable_finalizers": True}}) as made:
        yield made


def test_operator_pods_die_at_random(place: KubernetesPlatform) -> None:
    """A cluster is made, changed, scaled, all while whoever works on it is killed every few seconds."""
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    with OperatorDeployment(place) as operators, Killer(operators, seed) as killer:
        cluster = Cluster(place.api, "acid-restless").create(patroni=SAFE)
        cluster.wait_settled(members=2)
        eventually(cluster.synchronous, "the replica is synchronous")
        with Writer(cluster) as writer, Sampler(cluster) as sampler:
            writer.progress()
            before = {pod["metadata"]["uid"] for pod in cluster.pods().values()}
            cluster.change(
                postgresql={"parameters": {"max_connections": "141"}}, resources={"requests": {"cpu": "21m"}}
            )
            eventually(
                lambda: not before & {pod["metadata"]["uid"] for pod in cluster.pods().values()}, "both pods are new"
            )
            cluster.wait_settled(members=2)
            assert cluster.ask("SHOW max_connections") == "141"
            cluster.change(numberOfInstances=3)
            cluster.wait_settled(members=3)
            cluster.change(numberOfInstances=2)
            cluster.wait_settled(members=2)
            killer.more(1)
            writer.progress()
            assert writer.lost() == set()
        assert sampler.two_primaries() == []
        assert len(killer.deaths) > 5
        place.api.call("DELETE", cluster.path)
        eventually(lambda: place.api.find(cluster.path) is None, "it is deleted")
    assert not cluster.children("persistentvolumeclaims")


def token(place: KubernetesPlatform, bound_to: str) -> str:
    """Of the operator, for as long as the Secret ``bound_to``, made here, is there: it ends at once, not in minutes."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": bound_to}}
    uid = place.api.call("POST", f"{place.core}/secrets", secret)["metadata"]["uid"]
    reference = {"kind": "Secret", "apiVersion": "v1", "name": bound_to, "uid": uid}
    return place.account.token(expirationSeconds=600, boundObjectRef=reference)


def test_operator_follows_its_token(place: KubernetesPlatform, tmp_path: Path) -> None:
    """The token in its file is replaced, the former one ends: the process goes on, and leads all the time."""
    (tmp_path / "token").write_text(token(place, "first"))
    own = place.home / "kubeconfig"
    (tmp_path / "kubeconfig").write_text(json.dumps(with_token_file(own, tmp_path / "token")))
    former = Api.of_kubeconfig(tmp_path / "kubeconfig", place.api.namespace)
    assert str(own) in place.operator.command
    command = [str(tmp_path / "kubeconfig") if word == str(own) else word for word in place.operator.command]
    place.operator = Process(
        command, tmp_path / "operator.log", operator_environment(place.api.namespace, place.api.namespace)
    )
    place.operator.start()
    try:
        cluster = Cluster(place.api, "acid-token").create(numberOfInstances=0)
        eventually(lambda: cluster.word == "Running", "it is made")
        holder = place.lease_holder()
        (tmp_path / "token").write_text(token(place, "second"))
        place.api.call("DELETE", f"{place.core}/secrets/first")
        eventually(lambda: refused(former), "the first token has ended")
        cluster.change(replicaServiceAnnotations={"token": "second"})
        service = f"{place.core}/services/{cluster.name}-repl"
        eventually(
            lambda: place.api.get(service)["metadata"]["annotations"].get("token") == "second", "it is carried out"
        )
        assert place.lease_holder() == holder
        assert not place.operator.ended()
    finally:
        place.operator.stop()


def refused(api: Api) -> bool:
    try:
        api.get(f"{api.root()}/pods")
    except ApiRefusal as refusal:
        return refusal.code == 401
    return False


def with_token_file(path: Path, token: Path) -> dict[str, Any]:
    """The kubeconfig with another user."""
    import yaml

    read = yaml.safe_load(path.read_text())
    for one in read["users"]:
        one["user"] = {"tokenFile": str(token)}
    return dict(read)
