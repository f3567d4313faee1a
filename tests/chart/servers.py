"""A real kube-apiserver with RBAC and an audit log, and the operator in it with the rights of a ServiceAccount."""

from __future__ import annotations

import contextlib
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
from rights import Used, used

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
class Audited:
    """An API server with its audit log of what service accounts did."""

    server: KubeServer
    log: Path

    @property
    def now(self) -> int:
        """Where the log ends, for a later ``since``."""
        return self.log.stat().st_size

    def used(self, account: str, since: int = 0) -> Used:
        """What a service account (``namespace:name``) did; the role it may bind is that of the database pods."""
        return used([self.log], f"system:serviceaccount:{account}", "postgres-pod", since)

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
