"""Kubeconfig files as people have them; the loading itself is the official client's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kube.conftest import Server
from pgherd.errors import Forbidden, PgherdError
from pgherd.kube import credentials
from pgherd.kube.client import connect
from pgherd.kube.resources import NAMESPACES


def document(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(server.kubeconfig.read_text())
    return found


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


async def works(path: Path, context: str | None = None) -> bool:
    kube = await connect(path, context)
    try:
        return len(await kube.list(NAMESPACES)) > 0
    finally:
        await kube.close()


async def test_contexts_and_their_namespaces(local: Server, tmp_path: Path) -> None:
    content = document(local)
    (context,) = content["contexts"]
    other = {"name": "other", "context": {**context["context"], "namespace": "theirs"}}
    content["contexts"] = [other, {"name": "plain", "context": {"cluster": "localkube", "user": "localkube"}}]
    content["current-context"] = "plain"
    path = written(tmp_path / "contexts", content)
    assert (await connect(path)).namespace == "default"
    assert (await connect(path, "other")).namespace == "theirs"
    assert await works(path, "other")
    with pytest.raises(PgherdError, match="no-such-context"):
        await connect(path, "no-such-context")


async def test_a_token_file_is_read_again_when_the_token_is_refused(local: Server, tmp_path: Path) -> None:
    content = document(local)
    token = content["users"][0]["user"].pop("token")
    file = written(tmp_path / "token", token + "\n")
    content["users"][0]["user"]["tokenFile"] = str(file)
    kube = await connect(written(tmp_path / "config", content))
    assert await kube.list(NAMESPACES)
    file.write_text("expired")
    kube.connection.credentials.configuration.api_key["BearerToken"] = "Bearer expired"
    with pytest.raises(Forbidden):
        await kube.list(NAMESPACES)
    file.write_text(token)
    assert await kube.list(NAMESPACES)
    await kube.close()


PLUGIN = """
import json, pathlib, sys
calls = pathlib.Path(sys.argv[1])
number = len(calls.read_text()) if calls.exists() else 0
calls.write_text("x" * (number + 1))
status = {"token": sys.argv[2] if number else "the first one is refused"}
print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))
"""


async def test_an_exec_plugin_is_asked_again_when_its_token_is_refused(local: Server, tmp_path: Path) -> None:
    content = document(local)
    token = content["users"][0]["user"].pop("token")
    calls = tmp_path / "calls"
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(written(tmp_path / "plugin.py", PLUGIN)), str(calls), token],
        "interactiveMode": "Never",
    }
    content["users"][0]["user"]["exec"] = plugin
    kube = await connect(written(tmp_path / "config", content))
    assert calls.read_text() == "x"
    assert await kube.list(NAMESPACES)
    assert await kube.list(NAMESPACES)
    assert calls.read_text() == "xx", "only when it was refused"
    await kube.close()


async def test_a_plugin_that_fails_is_named(local: Server, tmp_path: Path) -> None:
    content = document(local)
    del content["users"][0]["user"]["token"]
    content["users"][0]["user"]["exec"] = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-plugin",
    }
    with pytest.raises(PgherdError, match="no-such-plugin"):
        await connect(written(tmp_path / "config", content))


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "cannot be used"), ("a: [", "cannot be used"), ("kind: Config", "cannot be used"), (None, "no such file")],
)
async def test_unusable_files_are_named(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PgherdError, match=said) as caught:
        await connect(path)
    assert str(path) in str(caught.value)


async def test_where_the_file_is_looked_for(local: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(PgherdError, match="set KUBECONFIG"):
        await connect()
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(("/no/such", str(local.kubeconfig))))
    assert (await connect()).connection.server == local.cluster.base_url  # type: ignore[union-attr]
    monkeypatch.setenv("KUBECONFIG", "/no/such")
    with pytest.raises(PgherdError, match="/no/such"):
        await connect()
    monkeypatch.delenv("KUBECONFIG")
    (tmp_path / ".kube").mkdir()
    written(tmp_path / ".kube/config", document(local))
    assert (await connect()).connection.server == local.cluster.base_url  # type: ignore[union-attr]


async def test_in_a_pod_without_its_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(PgherdError, match="service account"):
        await connect()


async def test_proxies_of_the_environment_are_used_unless_excepted(
    local: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = document(local)
    content["clusters"][0]["cluster"]["server"] = "http://kubernetes.example:6443"
    far = written(tmp_path / "far", content)
    for name in ("HTTP_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await credentials.load(far)).configuration.proxy == "http://127.0.0.1:9"
    assert (await credentials.load(local.kubeconfig)).configuration.proxy is None, "this machine needs no proxy"
    monkeypatch.setenv("no_proxy", "kubernetes.example")
    assert (await credentials.load(far)).configuration.proxy is None


async def test_tokens_are_in_no_error_and_no_repr(local: Server) -> None:
    kube = await connect(local.kubeconfig)
    token = document(local)["users"][0]["user"]["token"]
    with pytest.raises(PgherdError) as caught:
        await kube.get(NAMESPACES.at("", "no-such-namespace"))
    assert token not in str(caught.value)
    assert token not in json.dumps([repr(kube), repr(kube.connection), repr(kube.connection.credentials)])
    await kube.close()
