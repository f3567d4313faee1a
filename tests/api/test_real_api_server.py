"""A real kube-apiserver with our CRDs, and its verdicts beside ours: the same manifests stored, the same refused.

Dry runs on one server, so that hundreds of manifests take seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from api.manifests import full, minimal
from api.mutations import LEAVES, WRONG, mutations, valid_specs
from kubeservers import Answer, KubeServer, eventually
from pgherd.api import parse_operator_configuration, parse_postgresql, schema_faults
from pgherd.api.compat import plain, to_crd
from pgherd.api.crd import crds
from pgherd.api.options import all_options, value_of
from pgherd.api.reading import default_configuration
from pgherd.errors import Fault, ManifestError

GROUP = "/apis/acid.zalan.do/v1/namespaces/default"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def server(kubernetes_server: KubeServer) -> KubeServer:
    for crd in crds():
        name = crd["metadata"]["name"]
        path = f"{CRDS}/{name}?fieldManager=test&force=true&fieldValidation=Strict"
        answer = kubernetes_server.call("PATCH", path, crd, Content_Type="application/apply-patch+yaml")
        assert answer.code in (200, 201), answer.body
        eventually(lambda path=f"{CRDS}/{name}": established(kubernetes_server.call("GET", path)), f"{name} is served")
    for kind in ("postgresqls", "operatorconfigurations", "postgresteams"):
        path = f"{GROUP}/{kind}"
        eventually(lambda path=path: kubernetes_server.call("GET", path).code == 200, f"{kind} are stored")
    return kubernetes_server


def established(answer: Answer) -> bool:
    conditions = {one["type"]: one for one in answer.body.get("status", {}).get("conditions") or []}
    assert "NonStructuralSchema" not in conditions, conditions
    return conditions.get("Established", {}).get("status") == "True"


def create(server: KubeServer, kind: str, document: dict[str, Any], *, dry: bool = True) -> Answer:
    document = {"apiVersion": "acid.zalan.do/v1", **document}
    return server.call("POST", f"{GROUP}/{kind}{'?dryRun=All' if dry else ''}", document)


def formatted_list(fault: Fault) -> bool:
    """A gap of the API server: where a string with a format is wanted, it lets a list pass."""
    return (fault.path, fault.value) == ("spec.clone.uid", "a list")


def test_the_server_agrees_about_every_changed_leaf(server: KubeServer) -> None:
    """Every third variation: enough to meet every node with several values, and quick."""
    differing = []
    for index, document in enumerate(one for at in LEAVES for one in mutations(at)):
        if index % 3:
            continue
        answer = create(server, "postgresqls", document)
        ours = [str(fault) for fault in schema_faults(document) if not formatted_list(fault)]
        if (answer.code == 201) != (not ours):
            differing.append((answer.code, answer.body.get("message", ""), ours))
    assert differing == []


@pytest.mark.parametrize("document", [minimal(), full()], ids=["minimal", "full"])
def test_what_the_server_stores_reads_the_same(server: KubeServer, document: dict[str, Any]) -> None:
    document["metadata"].pop("namespace", None)
    answer = create(server, "postgresqls", document)
    assert answer.code == 201, answer.body
    assert parse_postgresql(answer.body).spec == parse_postgresql(document).spec


@pytest.mark.parametrize(
    "value",
    ["1e3", "100K", "100k", "1.5Gi", "1", "0", "", " 1Gi", "1Gi\n", "1\u0661Gi", "1e3Gi", "-1Gi", "1m", "1e", ".5Gi"],
)
def test_amounts(server: KubeServer, value: str) -> None:
    document = minimal(volume={"size": value}, resources={"limits": {"cpu": value, "memory": value}})
    assert (create(server, "postgresqls", document).code == 201) == (not schema_faults(document))


@pytest.mark.parametrize(
    "spec",
    [
        {"clone": {"cluster": "a", "uid": value}}
        for value in ("efd12e58-5786-11e8-b5a7-06148230260c", "EFD12E58578611E8B5A706148230260C", "x", "", "efd12e58")
    ]
    + [
        {"clone": {"cluster": "a", "timestamp": value}}
        for value in ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00Z", "2026-01-01 00:00:00+00:00", "")
    ]
    + [
        {"logicalBackupSchedule": value}
        for value in ("30 00 * * *", "*/5 * * * *", "1-2 * * * *", "1\u00851 * * *", "")
    ]
    + [{"allowedSourceRanges": [value]} for value in ("::/0", "10.0.0.0/8", "10.0.0.0/33", "fe80::1/64", "1.2.3.4")]
    + [
        {"maintenanceWindows": [value]}
        for value in (" Mon:1:5-2:0 ", "25:00-26:00", "Mon:10:00-09:00", "mon:1:00-2:00")
    ]
    + [{"numberOfInstances": value} for value in (2.0, 2.5, 2**31 - 1, 2**31, 1e30)]
    + [{"spiloRunAsUser": value} for value in (2**63 - 1, 2**63, -(2**63), 2.0)]
    + [{"users": value} for value in ({"a": None}, {"a": ["login", None]}, {"A b\n": []}, {"": []})]
    + [{"teamId": value} for value in ("", "\u0000", "\ud7ff", "a" * 10_000)]
    + [{"standby": value} for value in ({}, {"standby_host": "a"}, {"s3_wal_path": "", "gs_wal_path": ""})],
    ids=lambda spec: json.dumps(spec)[:60],
)
def test_formats_and_edges(server: KubeServer, spec: dict[str, Any]) -> None:
    document = minimal(**spec)
    answer = create(server, "postgresqls", document)
    faults = schema_faults(document)
    assert (answer.code == 201) == (not faults), (answer.body.get("message"), faults)


def configurations() -> Iterator[dict[str, Any]]:
    """Every option with every wrong value."""
    for option in all_options().values():
        for wrong in [*WRONG, "5m", "10Gi", ["a"], {"a": "b"}]:
            body = {option.key: wrong}
            yield {option.section: body} if option.section else body


def refused(configuration: dict[str, Any]) -> list[str]:
    try:
        parse_operator_configuration({"configuration": configuration})
    except ManifestError as error:
        return [str(fault) for fault in error.faults]
    return []


def test_the_server_agrees_about_every_option(server: KubeServer) -> None:
    """What the server refuses we refuse; the other way round only for what stops the reference as well."""
    differing = []
    for index, configuration in enumerate(configurations()):
        if index % 2:
            continue
        document = {"kind": "OperatorConfiguration", "metadata": {"name": "test"}, "configuration": configuration}
        answer = create(server, "operatorconfigurations", document)
        ours = refused(configuration)
        decoding = all(
            "_definition: is" in one
            or "duration" in one
            or "has no name" in one
            or "].name: is required" in one
            or "32 bits" in one
            for one in ours
        )
        if (answer.code == 201) != (not ours or decoding):
            differing.append((configuration, answer.code, answer.body.get("message", ""), ours))
    assert differing == []


def test_the_servers_defaults_are_ours(server: KubeServer) -> None:
    sections = sorted({one.section for one in all_options().values() if one.section})
    for chosen in ([], sections[:5], sections):
        configuration: dict[str, Any] = {section: {} for section in chosen}
        document = {"kind": "OperatorConfiguration", "metadata": {"name": "test"}, "configuration": configuration}
        answer = create(server, "operatorconfigurations", document)
        assert answer.code == 201, answer.body
        stored, offline = parse_operator_configuration(answer.body), parse_operator_configuration(document)
        for path in all_options():
            assert plain(value_of(stored, path)) == plain(value_of(offline, path)), path


def test_status_is_kept(server: KubeServer) -> None:
    name = "acid-status"
    document = minimal() | {"kind": "postgresql", "metadata": {"name": name}}
    created = create(server, "postgresqls", document, dry=False)
    assert created.code == 201, created.body
    try:
        condition = {"type": "Ready", "status": "True", "reason": "PrimaryUp", "message": "", "observedGeneration": 1}
        status = {
            "PostgresClusterStatus": "Running",
            "observedGeneration": 1,
            "conditions": [condition | {"lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "members": [{"name": "acid-status-0"}],
        }
        path = f"{GROUP}/postgresqls/{name}/status"
        answer = server.call("PUT", path, created.body | {"status": status})
        assert answer.code == 200, answer.body
        assert answer.body["status"] == status
        assert parse_postgresql(answer.body).state == "Running"
    finally:
        server.call("DELETE", f"{GROUP}/postgresqls/{name}")


def test_the_default_configuration_survives_the_server(server: KubeServer) -> None:
    config = default_configuration()
    answer = create(server, "operatorconfigurations", to_crd(config)[0])
    assert answer.code == 201, answer.body
    stored = parse_operator_configuration(answer.body)
    assert {p: plain(value_of(stored, p)) for p in all_options()} == {
        p: plain(value_of(config, p)) for p in all_options()
    }


@settings(max_examples=60)
@given(valid_specs())
def test_whatever_the_schema_allows_is_stored_and_reads_the_same(server: KubeServer, spec: dict[str, Any]) -> None:
    document = {"kind": "postgresql", "metadata": {"name": "a"}, "spec": spec}
    answer = create(server, "postgresqls", document)
    assert answer.code == 201, answer.body
    try:
        ours = parse_postgresql(document).spec
    except ManifestError as error:
        with pytest.raises(ManifestError) as caught:
            parse_postgresql(answer.body)
        assert caught.value.faults == error.faults  # noqa: PT017
    else:
        assert parse_postgresql(answer.body).spec == ours
