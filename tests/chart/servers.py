"""A real kube-apiserver with RBAC and an audit log, and the operator in it with the rights of a ServiceAccount."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeservers import HOW, TOKEN, KubeServer, end, kubeconfig, start_kubernetes

POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}


@dataclass(frozen=True)
class Call:
    """One request: ``what`` as in a rule, with its group and subresource."""

    group: str
    what: str
    verb: str
    namespace: str
    code: int

    @property
    def right(self) -> tuple[str, str, str]:
        return self.group, self.what, self.verb

    @property
    def rights(self) -> set[tuple[str, str, str]]:
        """What the server asked for: an apply that makes an object needs the right to create it as well."""
        made = self.verb == "patch" and self.code == 201
        return {self.right} | ({(self.group, self.what, "create")} if made else set())


@dataclass(frozen=True)
class Audited:
    """An API server with its audit log of what service accounts did."""

    server: KubeServer
    log: Path

    def calls(self, account: str) -> list[Call]:
        """What a service account (``namespace:name``) asked for, and was answered."""
        found = []
        for line in self.log.read_text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # a line that is being written
                event = json.loads(line)
                if event["user"]["username"] == f"system:serviceaccount:{account}" and "objectRef" in event:
                    about = event["objectRef"]
                    what = "/".join(filter(None, (about["resource"], about.get("subresource"))))
                    code = event.get("responseStatus", {}).get("code", 0)
                    call = Call(about.get("apiGroup", ""), what, event["verb"], about.get("namespace", ""), code)
                    found.append(call)
        return found

    def account_kubeconfig(self, folder: Path, namespace: str, name: str) -> Path:
        """A kubeconfig with the rights of a service account and no others."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        answer = self.server.call("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", body)
        assert answer.code == 201, answer
        return kubeconfig(folder / "kubeconfig", self.server.url, answer.body["status"]["token"])


@contextlib.contextmanager
def audited(folder: Path) -> Iterator[Audited]:
    """Skips without KUBEBUILDER_ASSETS."""
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    if not assets or not (Path(assets) / "kube-apiserver").exists():
        pytest.skip(HOW)
    import ssl

    import urllib3

    policy, log = folder / "policy.yaml", folder / "audit.log"
    policy.write_text(yaml.safe_dump(POLICY))
    log.touch()
    state: dict[str, Any] = start_kubernetes(
        folder, Path(assets), f"--audit-policy-file={policy}", f"--audit-log-path={log}"
    )
    try:
        pool = urllib3.PoolManager(timeout=120, cert_reqs=ssl.CERT_NONE)
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        yield Audited(KubeServer("kubernetes", state["url"], TOKEN, folder / "kubeconfig", pool), log)
    finally:
        for pid in state["pids"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def operator(container: dict[str, Any], namespace: str, kubeconfig: Path, log: Path) -> Iterator[None]:
    """``pgherd`` as the Deployment's container starts it, but here."""
    given = {one["name"]: one.get("value", namespace) for one in container["env"]}
    environment = {key: os.environ[key] for key in ("PATH", "HOME")} | given | {"KUBECONFIG": str(kubeconfig)}
    with log.open("w") as output:
        command = [sys.executable, "-m", "pgherd.cli", *container["args"]]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, text=True)
    try:
        yield
    finally:
        end(process)
