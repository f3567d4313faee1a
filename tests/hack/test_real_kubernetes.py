"""What only a real Kubernetes shows: our images in its pods, a database that outlives a node.

Runs by `make test-kubernetes`, inside the network of the cluster of KUBECONFIG, as a person's hands would: by kubectl.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubernetes_platform import hack, owned
from pgherd.api.crd import crds
from pgherd.facts.fingerprint import stamped

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = float(os.environ.get("PGHERD_PATIENCE", "240"))
CLUSTER = "acid-minimal-cluster"
pytestmark = [
    pytest.mark.disruptive,
    pytest.mark.skipif(not os.environ.get("PGHERD_TEST_KUBERNETES"), reason="needs a Kubernetes cluster"),
]


def kubectl(*words: str, given: str | None = None) -> str:
    """What it prints; CalledProcessError if it fails."""
    command = ["kubectl", "--request-timeout=30s", *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout


def eventually(check: Callable[[], Any], what: str) -> Any:
    """The first true answer; a failed command counts as no."""
    end = time.monotonic() + PATIENCE
    last: object = None
    while time.monotonic() < end:
        try:
            last = check()
        except subprocess.CalledProcessError as error:
            last = error.stderr
        else:
            if last:
                return last
        time.sleep(0.5)
    raise AssertionError(f"after {PATIENCE} s still not: {what}; last answer: {last!r}")


@pytest.fixture(scope="module")
def operator() -> Iterator[None]:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    definitions = yaml.safe_dump_all(map(stamped, crds()))
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=definitions)
    # kubectl takes a CRD that has no conditions yet for an error.
    eventually(lambda: kubectl("wait", "--for=condition=Established", "--all", "crd"), "the definitions are there")
    manifests = (ROOT / "tests/hack/operator.yaml").read_text().replace("VERSION", version)
    kubectl("apply", "-f", "-", given=manifests)
    kubectl("rollout", "status", "deployment/pgherd", f"--timeout={PATIENCE:.0f}s")
    yield
    kubectl("delete", "postgresql", CLUSTER, "--ignore-not-found")
    eventually(
        lambda: CLUSTER not in kubectl("get", "pods,pvc,secrets", "-o", "name"), "nothing of the cluster is left"
    )
    kubectl("delete", "-f", "-", given=manifests)


def members() -> dict[str, dict[str, str]]:
    """Pod to its role and node, as Kubernetes has them."""
    pods = json.loads(kubectl("get", "pods", "-l", f"cluster-name={CLUSTER}", "-o", "json"))["items"]
    return {
        pod["metadata"]["name"]: {
            "role": pod["metadata"]["labels"].get("spilo-role", ""),
            "node": pod["spec"]["nodeName"],
        }
        for pod in pods
    }


def streaming() -> bool:
    """Both members healthy, as Patroni has it."""
    [_, other] = sorted(members())
    listed = json.loads(kubectl("exec", other, "--", "patronictl", "list", "-f", "json"))
    return sorted((one["Role"], one["State"]) for one in listed) == [("Leader", "running"), ("Replica", "streaming")]


def sql(pod: str, statement: str) -> str:
    return kubectl("exec", pod, "--", "psql", "-U", "postgres", "-d", "foo", "-Atqc", statement).strip()


def status() -> str:
    return kubectl("get", "postgresql", CLUSTER, "-o", "jsonpath={.status.PostgresClusterStatus}")


@pytest.mark.usefixtures("operator")
def test_the_example_becomes_two_healthy_members_and_outlives_a_node() -> None:
    kubectl("apply", "-f", str(ROOT / "examples/minimal.yaml"))
    eventually(lambda: status() == "Running" and streaming(), "the example runs with both members")
    before = members()
    [primary] = [name for name, member in before.items() if member["role"] == "master"]
    [survivor] = set(before) - {primary}
    assert kubectl("exec", primary, "--", "id", "-u").strip() == "101"
    sql(primary, "create table kept (number int)")
    sql(primary, "insert into kept select generate_series(1, 1000)")

    if not owned():
        pytest.skip("only the power of our own nodes may be cut")
    if before[primary]["node"] == before[survivor]["node"]:
        pytest.skip("both members are on one node")
    node = before[primary]["node"]
    hack("node", node, "off")
    try:
        eventually(lambda: sql(survivor, "select not pg_is_in_recovery()") == "t", "the survivor is promoted")
        assert sql(survivor, "select count(*) from kept") == "1000"
        sql(survivor, "insert into kept values (1001)")
    finally:
        hack("node", node, "on")
    eventually(streaming, "the old primary follows")
    assert eventually(lambda: sql(primary, "select count(*) from kept"), "it answers") == "1001"
    assert sql(primary, "select pg_is_in_recovery()") == "t"
