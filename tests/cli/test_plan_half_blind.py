"""``pgherd plan`` for a person who may see less than the operator: the rest of the plan, and what is not known."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from cli.servers import ROOT, Server
from localkube.cluster import Cluster
from localkube.faults import Faults
from pgherd.cli.output import Format
from pgherd.cli.planning import Manner, show
from pgherd.kube.resources import OPERATOR_CONFIGURATIONS, POSTGRESQLS

NAME = "acid-minimal-cluster"
MINIMAL = ROOT / "examples/minimal.yaml"


@pytest.fixture
def limited(server: Server, cluster: Cluster) -> tuple[Server, Faults]:
    """A server, and what it refuses."""
    return server, cluster.faults


async def planned(
    limited: tuple[Server, Faults], capsys: pytest.CaptureFixture[str], refused: list[str], **options: Any
) -> Any:
    """The plan, for programs, of somebody to whom these plurals are ``refused``."""
    server, faults = limited
    configuration = {
        "apiVersion": "acid.zalan.do/v1",
        "kind": "OperatorConfiguration",
        "metadata": {"name": "settings", "namespace": "default"},
        "configuration": {"kubernetes": options},
    }
    await server.kube.create(OPERATOR_CONFIGURATIONS.whole(), configuration)
    manifest = yaml.safe_load(MINIMAL.read_text())
    manifest["metadata"] = {"name": NAME, "namespace": "default"}
    manifest["spec"]["enableConnectionPooler"] = True
    await server.kube.create(POSTGRESQLS.whole(), manifest)
    for plural in refused:
        faults.add("status", verb="*", resource=plural, code=403, times=0)
    await show(server.invocation, NAME, Manner(form=Format.JSON))
    return json.loads(capsys.readouterr().out)


async def test_secrets_that_may_not_be_read_are_not_known(
    limited: tuple[Server, Faults], capsys: pytest.CaptureFixture[str]
) -> None:
    facts = await planned(limited, capsys, ["secrets"])
    steps = [step["step"] for step in facts["steps"]]
    assert f"create StatefulSet/{NAME}" in steps
    assert f"create Service/{NAME}" in steps
    assert not [step for step in steps if "Secret" in step]
    not_known = "role {0} is not known, because this user may not read Secret default/{0}.{1}"
    suffix = f"{NAME}.credentials.postgresql.acid.zalan.do"
    for role in ("postgres", "standby", "pooler", "zalando"):
        assert not_known.format(role, suffix) in facts["notSeen"]
    assert "the connection pooler (master)" in [one["what"] for one in facts["heldBack"]]


async def test_what_the_configuration_names_and_may_not_be_read_is_not_known(
    limited: tuple[Server, Faults], capsys: pytest.CaptureFixture[str]
) -> None:
    facts = await planned(
        limited,
        capsys,
        ["secrets"],
        pod_environment_secret="variables",
        infrastructure_roles_secrets=[{"secretname": "robots", "userkey": "u", "passwordkey": "p"}],
    )
    (fault,) = facts["faults"]
    assert fault.startswith(
        "configuration.kubernetes.pod_environment_secret: not known, because Secret variables may not be read ("
    )
    steps = [step["step"] for step in facts["steps"]]
    assert f"create Service/{NAME}" in steps
    assert f"create StatefulSet/{NAME}" not in steps


async def test_an_account_that_may_not_be_read_is_not_made(
    limited: tuple[Server, Faults], capsys: pytest.CaptureFixture[str]
) -> None:
    facts = await planned(limited, capsys, ["serviceaccounts", "rolebindings*"])
    steps = [step["step"] for step in facts["steps"]]
    assert f"create StatefulSet/{NAME}" in steps
    assert not [step for step in steps if "ServiceAccount" in step or "RoleBinding" in step]
    held = {one["what"]: one["because"] for one in facts["heldBack"]}
    assert held.keys() == {"ServiceAccount/postgres-pod", "RoleBinding/postgres-pod"}
    assert held["ServiceAccount/postgres-pod"].startswith("whether it exists is not known (")
