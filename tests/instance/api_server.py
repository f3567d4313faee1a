"""An API server for pods to keep their cluster's state in: localkube's, or a real kube-apiserver with its etcd."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instance.gate import Gate
from localkube.cluster import Cluster
from postgresql_server import free_port

HOST = "127.0.0.1"
START_SECONDS = 180
PROGRAMS = ("etcd", "kube-apiserver")


def missing() -> str:
    """Why there can be none here, with the cure; empty when there can."""
    lacking = [name for name in PROGRAMS if _program(name) is None]
    return f"no {' and no '.join(lacking)}: let KUBEBUILDER_ASSETS name a folder that holds them" if lacking else ""


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('KUBEBUILDER_ASSETS', '')}:{os.environ.get('PATH', os.defpath)}")


@dataclass(frozen=True)
class ApiServer:
    """``kubeconfig`` is readable by everyone; its context is called ``context``. ``loopback`` says whether the server
    takes loopback addresses in Endpoints (Kubernetes refuses them); within ``away`` those who have the kubeconfig do
    not reach it."""

    url: str
    token: str
    kubeconfig: Path
    context: str
    loopback: bool
    away: Callable[[], AbstractContextManager[None]] = nullcontext

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Raises urllib.error.HTTPError."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/namespaces/default/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30, context=_trusting()) as answer:
            return dict(json.load(answer))


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def localkube(folder: Path) -> Iterator[ApiServer]:
    """In a thread of its own, so that tests may block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    cluster = Cluster(folder / "home", HOST)

    def run(task: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(task, loop).result(START_SECONDS)

    run(cluster.start())
    port = cluster.base_url.rpartition(":")[2]
    gate = Gate(int(port))
    run(gate.open())

    @contextmanager
    def away() -> Iterator[None]:
        run(gate.close())
        try:
            yield
        finally:
            run(gate.open())

    try:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(cluster.kubeconfig().replace(f":{port}", f":{gate.port}"))
        yield ApiServer(cluster.base_url, cluster.accounts.admin, kubeconfig, "localkube", loopback=True, away=away)
    finally:
        run(gate.close())
        run(cluster.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def kube_apiserver(folder: Path) -> Iterator[ApiServer]:
    """``folder`` is for its files and kept by the caller."""
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f'{token},test,1,"system:masters"\n')
    subprocess.run(["openssl", "genrsa", "-out", str(folder / "sa.key"), "2048"], check=True, capture_output=True)
    client, peer = (f"http://{HOST}:{free_port(HOST)}" for _ in range(2))
    url = f"https://{HOST}:{free_port(HOST)}"
    etcd = {
        "data-dir": str(folder / "etcd"),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
    }
    server = {
        "etcd-servers": client,
        "bind-address": HOST,
        "secure-port": url.rpartition(":")[2],
        "cert-dir": str(folder / "certs"),
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(folder / "sa.key"),
        "service-account-signing-key-file": str(folder / "sa.key"),
        "service-cluster-ip-range": "10.96.0.0/16",
        "authorization-mode": "RBAC",
        "token-auth-file": str(folder / "tokens.csv"),
        "disable-admission-plugins": "ServiceAccount",
    }
    ca = str(folder / "certs/apiserver.crt")
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": ca}}],
                "users": [{"name": "test", "user": {"token": token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            }
        )
    )
    with (
        _process("etcd", {**etcd, "unsafe-no-fsync": "true"}, folder),
        _process("kube-apiserver", server, folder) as log,
    ):
        api = ApiServer(url, token, kubeconfig, "test", loopback=False)
        _wait_for(api, log)
        yield api


@contextmanager
def _process(name: str, options: dict[str, str], folder: Path) -> Iterator[Path]:
    log = folder / f"{name}.log"
    command = [str(_program(name)), *(f"--{option}={value}" for option, value in options.items())]
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        yield log
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _wait_for(api: ApiServer, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            api.call("GET", "pods")
            return
        except (OSError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise RuntimeError(f"no API server: {log.read_text()[-2000:]}") from None
            time.sleep(0.1)
