"""API servers for tests: localkube, and a real kube-apiserver when there is one.

``KUBEBUILDER_ASSETS`` (the envtest convention) names a folder with ``etcd`` and ``kube-apiserver``. Without it the
tests that want the real one are skipped and say how to get it. A test that takes ``kube`` runs on both. Everything
listens on 127.0.0.0/8 at addresses of its own, so any number of runs can go on side by side; the workers of one xdist
run share one real server, which the last to leave stops.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

DEADLINE = 120.0
"""Seconds; generous, the machine may be slow."""
HOW = (
    "no real API server: set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver, "
    "for example with `setup-envtest use 1.34 -p path` (controller-runtime's tool)"
)
TOKEN = "envtest-admin"


def eventually(check: Callable[[], Any], what: str, seconds: float = DEADLINE) -> Any:
    """The first true value of ``check``; AssertionError naming ``what`` after the deadline."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"after {seconds} s still not: {what}")


@dataclass(frozen=True)
class Answer:
    code: int
    body: Any
    headers: Any = field(repr=False)


@dataclass(frozen=True)
class KubeServer:
    """Where an API server is. ``name`` is ``localkube`` or ``kubernetes``."""

    name: str
    url: str
    token: str = field(repr=False)
    kubeconfig: Path
    pool: urllib3.PoolManager = field(repr=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request; ``headers`` with underscores for dashes. A body of text goes as it is."""
        sent = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent |= {k.replace("_", "-"): v for k, v in headers.items()}
        raw = body if isinstance(body, bytes | str) or body is None else json.dumps(body)
        got = self.pool.request(method, self.url + path, body=raw, headers=sent, retries=False)
        text = got.data.decode()
        is_json = "json" in got.headers.get("Content-Type", "")
        return Answer(got.status, json.loads(text) if is_json else text, got.headers)

    def watch(self, path: str, **headers: str) -> Iterator[dict[str, Any]]:
        """Events until the server ends the stream."""
        sent = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"} | headers
        got = self.pool.request("GET", self.url + path, headers=sent, preload_content=False, retries=False)
        try:
            rest = b""
            for piece in got.stream(65536):
                *lines, rest = (rest + piece).split(b"\n")
                yield from (json.loads(line) for line in lines if line)
        finally:
            got.close()


def kubeconfig(path: Path, url: str, token: str) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url, "insecure-skip-tls-verify": url.startswith("https")}}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return path


def free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def own_address() -> str:
    """A loopback address that no other test process of this moment uses."""
    return f"127.{100 + os.getpid() // 250 % 100}.{os.getpid() % 250}.1"


@contextlib.contextmanager
def run_localkube(home: Path, *words: str, port: int = 0) -> Iterator[KubeServer]:
    """localkube as a process of its own."""
    process = start_localkube(home, *words, port=port)
    try:
        yield process[1]
    finally:
        end(process[0])


def start_localkube(home: Path, *words: str, port: int = 0) -> tuple[subprocess.Popen[str], KubeServer]:
    """Raises AssertionError with its output when it ends instead of getting ready."""
    command = [sys.executable, "-m", "localkube", "serve", "--home", str(home), "--address", own_address()]
    home.mkdir(parents=True, exist_ok=True)
    errors = home / "stderr.log"
    with errors.open("a") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), *words], stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "ready" in line, errors.read_text()
    config = home / "kubeconfig"
    token = yaml.safe_load(config.read_text())["users"][0]["user"]["token"]
    return process, KubeServer("localkube", line.split()[-1], token, config, urllib3.PoolManager(timeout=DEADLINE))


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def localkube_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeServer]:
    """One for the session; tests keep apart by namespaces."""
    with run_localkube(tmp_path_factory.mktemp("localkube"), "--test-faults") as server:
        yield server


@pytest.fixture(scope="session")
def kubernetes_server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[KubeServer]:
    """A real one, from KUBEBUILDER_ASSETS; skips without."""
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    if not assets or not (Path(assets) / "kube-apiserver").exists():
        pytest.skip(HOW)
    if not shutil.which("openssl"):
        pytest.skip("a real API server needs a key: install openssl")
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "envtest"
    shared.mkdir(exist_ok=True)
    with locked(shared):
        state = join(shared, Path(assets))
    try:
        pool = urllib3.PoolManager(timeout=DEADLINE, cert_reqs=ssl.CERT_NONE)
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        yield KubeServer("kubernetes", state["url"], TOKEN, shared / "kubeconfig", pool)
    finally:
        with locked(shared):
            leave(shared)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def join(folder: Path, assets: Path) -> dict[str, Any]:
    """Starts the shared server, or counts one more user of it."""
    record = folder / "state.json"
    state: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {"users": 0}
    if not state["users"]:
        state |= start_kubernetes(folder, assets)
    state["users"] += 1
    record.write_text(json.dumps(state))
    return state


def leave(folder: Path) -> None:
    record = folder / "state.json"
    state = json.loads(record.read_text())
    state["users"] -= 1
    record.write_text(json.dumps(state))
    if not state["users"]:
        for pid in state["pids"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def start_kubernetes(folder: Path, assets: Path, *flags: str) -> dict[str, Any]:
    """etcd and kube-apiserver (with further ``flags``), ready; about 5 s on an idle machine."""
    address = own_address()
    client, peer, port = (free_port(address) for _ in range(3))
    etcd_url, peer_url = f"http://{address}:{client}", f"http://{address}:{peer}"
    key = folder / "sa.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    tokens = folder / "tokens.csv"
    tokens.write_text(f'{TOKEN},admin,admin,"system:masters"\n')
    etcd = [
        str(assets / "etcd"),
        f"--data-dir={folder / 'etcd'}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={etcd_url}",
        f"--advertise-client-urls={etcd_url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=default={peer_url}",
    ]
    server = [
        str(assets / "kube-apiserver"),
        f"--etcd-servers={etcd_url}",
        f"--bind-address={address}",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certs'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        f"--token-auth-file={tokens}",
        "--allow-privileged",
        "--disable-admission-plugins=DefaultTolerationSeconds,Priority,ServiceAccount,StorageObjectInUseProtection",
        *flags,
    ]
    pids = []
    for name, command in (("etcd", etcd), ("apiserver", server)):
        with (folder / f"{name}.log").open("w") as log:
            pids.append(subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True).pid)
    url = f"https://{address}:{port}"
    pool = urllib3.PoolManager(timeout=10, cert_reqs=ssl.CERT_NONE)

    def ready() -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            header = {"Authorization": f"Bearer {TOKEN}"}
            return all(
                pool.request("GET", f"{url}{path}", headers=header, retries=False).status == 200
                for path in ("/readyz", "/api/v1/namespaces/default", "/apis/scheduling.k8s.io/v1/priorityclasses")
            )
        return False

    eventually(ready, f"kube-apiserver is ready (logs in {folder})")
    kubeconfig(folder / "kubeconfig", url, TOKEN)
    return {"pids": pids, "url": url}


@pytest.fixture(scope="session", params=["localkube", "kubernetes"])
def kube(request: pytest.FixtureRequest) -> KubeServer:
    """The same test on both."""
    server: KubeServer = request.getfixturevalue(f"{request.param}_server")
    return server
