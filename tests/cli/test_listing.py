from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from cli.servers import ROOT, Server
from pgherd.cli.listing import age, at_path
from pgherd.kube.resources import POSTGRESQLS


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(seconds=45), "45s"),
        (timedelta(minutes=5, seconds=3), "5m3s"),
        (timedelta(minutes=30, seconds=3), "30m"),
        (timedelta(hours=3, minutes=12, seconds=1), "3h12m"),
        (timedelta(hours=20, seconds=1), "20h"),
        (timedelta(days=5, hours=2, seconds=1), "5d2h"),
        (timedelta(days=400, seconds=1), "400d"),
    ],
)
def test_ages_are_written_as_kubectl_writes_them(delta: timedelta, text: str) -> None:
    assert age((datetime.now(UTC) - delta).isoformat()) == text


def test_paths_that_lead_nowhere_are_none() -> None:
    assert at_path({"a": {"b": 1}}, ".a.b") == 1
    assert at_path({"a": "text"}, ".a.b.c") is None


async def test_the_columns_are_those_of_the_definition(server: Server) -> None:
    manifest = yaml.safe_load((ROOT / "examples/minimal.yaml").read_text())
    manifest["metadata"]["namespace"] = "default"
    await server.kube.create(POSTGRESQLS, manifest)
    status = {"PostgresClusterStatus": "Running", "conditions": []}
    await server.kube.patch(POSTGRESQLS.at("default", "acid-minimal-cluster"), {"status": status}, subresource="status")
    done = await server.pgherd("get")
    header, row = done.out.splitlines()
    wanted = ["NAME", "TEAM", "VERSION", "PODS", "VOLUME", "CPU-REQUEST", "MEMORY-REQUEST", "AGE", "STATUS"]
    assert header.split() == wanted
    cells = row.split()
    assert cells[:5] == ["acid-minimal-cluster", "acid", "18", "2", "1Gi"]
    assert cells[-1] == "Running"
    assert row.index("Running") == header.index("STATUS")
    assert "\x1b" not in done.out
    listed = yaml.safe_load((await server.pgherd("get", "-o", "yaml")).out)
    assert [one["metadata"]["name"] for one in listed["items"]] == ["acid-minimal-cluster"]
    empty = await server.pgherd("get", "-n", "nowhere")
    assert (empty.code, empty.out, empty.err) == (0, "", "no clusters in namespace nowhere\n")
    missing = await server.pgherd("status", "none")
    assert missing.code == 1
    assert missing.err.startswith("pgherd: postgresql default/none does not exist")
    assert "there are acid-minimal-cluster in this namespace" in missing.err


async def test_what_destroys_is_not_done_where_nobody_can_be_asked(server: Server) -> None:
    manifest = yaml.safe_load((ROOT / "examples/minimal.yaml").read_text())
    manifest["metadata"]["namespace"] = "default"
    await server.kube.create(POSTGRESQLS, manifest)
    refused = await server.pgherd("delete", "acid-minimal-cluster")
    assert refused.code == 1
    assert f"on {server.kube.connection.server}" in refused.err
    assert "--yes" in refused.err
    assert len(await server.kube.list(POSTGRESQLS)) == 1
    done = await server.pgherd("delete", "acid-minimal-cluster", "--yes")
    assert (done.code, done.out) == (0, "postgresqls.acid.zalan.do/acid-minimal-cluster deleted\n")
    assert await server.kube.list(POSTGRESQLS) == []


async def test_no_server_is_code_3_and_says_the_cure(server: Server) -> None:
    server.home.mkdir()
    config = yaml.safe_load(server.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1"
    server.kubeconfig.write_text(yaml.safe_dump(config))
    done = await server.pgherd("get")
    assert done.code == 3
    assert "no answer from http://127.0.0.1:1" in done.err
