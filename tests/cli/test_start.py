"""Flags and environment variables of the reference (spec api.md 3.8, 3.9): each has its effect, and shows."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.servers import Server, pgherd
from pgherd.api import startup
from pgherd.api.operator_configuration import Origin
from pgherd.api.options import all_options
from pgherd.api.reading import default_configuration, overridden
from pgherd.api.startup import FLAGS, VARIABLES, Patience, log_form, overrides
from pgherd.cli import configuration, go_flags
from pgherd.cli.go_flags import switches, unix_flags
from pgherd.cli.operator_start import start_of
from pgherd.cli.output import Format
from pgherd.cli.settings import of_cluster
from pgherd.controllers.configuration import Source, load_configuration
from pgherd.controllers.live_configuration import LiveConfiguration
from pgherd.errors import ManifestError
from pgherd.kube.informer import Timing
from pgherd.kube.resources import LEASES, OPERATOR_CONFIGURATIONS, PODS
from pgherd.logs import set_up
from pgherd.main import owned_by

DEADLINE = 60.0
REFERENCE_FLAGS = ("kubeconfig", "outofcluster", "nodatabaseaccess", "noteamsapi", "kubeqps", "kubeburst")
REFERENCE_VARIABLES = (
    "POSTGRES_OPERATOR_CONFIGURATION_OBJECT",
    "CONFIG_MAP_NAME",
    "OPERATOR_NAMESPACE",
    "WATCHED_NAMESPACE",
    "CONTROLLER_ID",
    "SCALYR_API_KEY",
    "CRD_READY_WAIT_TIMEOUT",
    "CRD_READY_WAIT_INTERVAL",
    "ENABLE_JSON_LOGGING",
    "LOG_NOQUOTE",
)


def test_both_tables_are_whole() -> None:
    assert tuple(word.name for word in FLAGS) == REFERENCE_FLAGS
    assert tuple(word.name for word in VARIABLES) == REFERENCE_VARIABLES
    assert {word.name for word in FLAGS if word.takes_value} == go_flags.VALUED
    assert {word.name for word in FLAGS if not word.takes_value} == go_flags.SWITCHES
    assert {word.option for word in (*FLAGS, *VARIABLES)} - {""} <= set(all_options())


async def test_run_takes_every_flag_in_every_notation() -> None:
    """A kubeconfig that does not exist ends it after the command line was understood; an unknown flag does before."""
    words = ["-kubeconfig", "/does/not/exist", "-outofcluster", "-nodatabaseaccess=true", "--noteamsapi"]
    ended = await pgherd("run", *words, "-kubeqps=7", "-kubeburst", "9", environment=dict(os.environ))
    assert (ended.code, "/does/not/exist: no such file" in ended.err) == (1, True), ended.err
    ended = await pgherd("run", "-alsologtostderr", environment=dict(os.environ))
    assert ended.code == 2


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("run -nodatabaseaccess", "run --nodatabaseaccess"),
        ("run --nodatabaseaccess=T", "run --nodatabaseaccess"),
        ("run -nodatabaseaccess=false", "run"),
        ("run -nodatabaseaccess=maybe", "run --nodatabaseaccess=maybe"),
        ("run -kubeqps=5 -kubeburst 7", "run --kubeqps=5 --kubeburst 7"),
        ("-n default list", "-n default list"),
        ("psql x -- -noteamsapi", "psql x -- -noteamsapi"),
        ("render -f -", "render -f -"),
    ],
)
def test_notations_of_go(words: str, meant: str) -> None:
    assert unix_flags(words.split()) == meant.split()


async def test_outofcluster_needs_a_kubeconfig(tmp_path: Any) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
    pod = kept | {"HOME": str(tmp_path), "PGHERD_HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "127.0.0.1"}
    ended = await pgherd("run", "-outofcluster", environment=pod)
    assert (ended.code, "no kubeconfig is there" in ended.err) == (1, True), ended.err


def test_switches_and_variables_override_options() -> None:
    assert overrides({}) == {}
    assert overrides({"SCALYR_API_KEY": "", "WATCHED_NAMESPACE": "", "WORKERS": "9"}) == {}
    given = overrides({"SCALYR_API_KEY": "k", "WATCHED_NAMESPACE": "*"}, ("nodatabaseaccess", "noteamsapi"))
    config = overridden(default_configuration(), given)
    assert config.scalyr.scalyr_api_key is not None
    assert config.scalyr.scalyr_api_key.get_secret_value() == "k"
    assert config.kubernetes.watched_namespace == "*"
    assert config.debug.enable_database_access is False
    assert config.teams_api.enable_teams_api is False
    assert dict(config.origins) == dict.fromkeys(given, Origin.OVERRIDDEN)
    assert "'k'" not in repr(Source("x", overrides=given)) + repr(config)


def test_source_is_named_by_variables() -> None:
    both = {"POSTGRES_OPERATOR_CONFIGURATION_OBJECT": "object", "CONFIG_MAP_NAME": "other/map"}
    assert str(Source.from_environment(both, "herd").ref).endswith("herd/object"), "the object wins"
    assert str(Source.from_environment({"CONFIG_MAP_NAME": "other/map"}, "herd").ref).endswith("other/map")
    assert str(Source.from_environment({"CONFIG_MAP_NAME": "map"}, "herd").ref).endswith("herd/map")
    assert Source.from_environment({}, "herd").ref is None


def test_controller_id_and_annotation_belong_together() -> None:
    assert owned_by("one").controller_id == "one"


def test_waiting_for_definitions() -> None:
    assert Patience.from_environment({}) == Patience()
    given = {"CRD_READY_WAIT_TIMEOUT": "1m30s", "CRD_READY_WAIT_INTERVAL": "250ms"}
    assert Patience.from_environment(given) == Patience(90.0, 0.25)
    bad = {"CRD_READY_WAIT_TIMEOUT": "soon", "CRD_READY_WAIT_INTERVAL": "0s"}
    with pytest.raises(ManifestError) as caught:
        Patience.from_environment(bad)
    assert [fault.path for fault in caught.value.faults] == list(bad)


@pytest.fixture
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("environment", "is_json"),
    [
        ({"ENABLE_JSON_LOGGING": "true"}, True),
        ({"ENABLE_JSON_LOGGING": "true", "LOG_NOQUOTE": "1"}, True),
        ({"ENABLE_JSON_LOGGING": "TRUE", "LOG_NOQUOTE": "1"}, False),
        ({"LOG_NOQUOTE": "yes"}, False),
        ({}, True),
    ],
)
@pytest.mark.usefixtures("_logging")
def test_form_of_log_lines(
    environment: dict[str, str], is_json: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard error is no terminal here, so JSON is the default."""
    assert not sys.stderr.isatty()
    set_up(as_json=log_form(environment))
    logging.getLogger("any").info("said")
    line = capsys.readouterr().err
    assert line.startswith("{") is is_json
    assert "said" in line


async def test_a_change_of_the_configuration_takes_no_override_away(server: Server) -> None:
    namespace = server.kube.namespace
    obj: dict[str, Any] = {
        "apiVersion": "acid.zalan.do/v1",
        "kind": "OperatorConfiguration",
        "metadata": {"name": "settings", "namespace": namespace},
        "configuration": {"teams_api": {"enable_teams_api": True}},
    }
    await server.kube.apply(OPERATOR_CONFIGURATIONS, obj)
    environment = {"POSTGRES_OPERATOR_CONFIGURATION_OBJECT": "settings", "SCALYR_API_KEY": "k"}
    source = Source.from_environment(environment, namespace, ("noteamsapi",))
    live = LiveConfiguration(source, await load_configuration(server.kube, source))
    assert live.current.teams_api.enable_teams_api is False
    changed = asyncio.Event()
    following = asyncio.create_task(live.follow(server.kube, changed.set, Timing(first_backoff=0.02)))
    try:
        obj["configuration"] |= {"resync_period": "7m"}
        await server.kube.apply(OPERATOR_CONFIGURATIONS, obj)
        async with asyncio.timeout(DEADLINE):
            while live.current.resync_period.total_seconds() != 420:
                await changed.wait()
                changed.clear()
    finally:
        following.cancel()
    assert live.current.teams_api.enable_teams_api is False
    assert live.current.origins["teams_api.enable_teams_api"] is Origin.OVERRIDDEN
    assert live.current.origins["resync_period"] is Origin.GIVEN


POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "postgres-operator-abc", "namespace": "default"},
    "spec": {
        "containers": [
            {
                "name": "operator",
                "image": "pgherd",
                "args": ["run", "-noteamsapi", "-nodatabaseaccess=false"],
                "env": [
                    {"name": "WATCHED_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                    {"name": "SCALYR_API_KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "WORKERS", "value": "9"},
                ],
            }
        ]
    },
}


async def test_config_show_tells_what_the_operator_overrides(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    kube = server.kube
    named = {"name": "settings", "namespace": "default"}
    head = {"apiVersion": "acid.zalan.do/v1", "kind": "OperatorConfiguration", "metadata": named}
    await kube.apply(OPERATOR_CONFIGURATIONS, {**head, "configuration": {"teams_api": {"enable_teams_api": True}}})

    async def shown() -> dict[str, Any]:
        async with server.invocation.session() as session:
            configuration.show(await of_cluster(session), Format.JSON, given=True)
        return dict(json.loads(capsys.readouterr().out))

    assert (await shown())["options"]["teams_api.enable_teams_api"] == {"value": True, "origin": "given"}
    await kube.apply(PODS, POD)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    lease = {"holderIdentity": "postgres-operator-abc_1_ab", "renewTime": now, "leaseDurationSeconds": 15}
    metadata = {"name": "pgherd", "namespace": "default"}
    await kube.apply(
        LEASES, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": lease}
    )
    told = await shown()
    overridden_ = {
        path: one["value"] for path, one in told["options"].items() if one["origin"] == Origin.OVERRIDDEN.value
    }
    assert overridden_ == {"teams_api.enable_teams_api": False, "kubernetes.watched_namespace": "default"}
    assert "Pod/postgres-operator-abc" in told["source"]
    assert any("SCALYR_API_KEY" in remark for remark in told["remarks"])


def test_pod_of_anything_tells_nothing() -> None:
    for pod in ({}, {"spec": None}, {"spec": {"containers": [{}]}}):
        assert start_of(pod).overrides == {}
    assert switches(["run", "--", "-noteamsapi"]) == frozenset()
    assert startup.overrides({}, ("kubeqps",)) == {}
