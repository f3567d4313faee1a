"""A real Patroni cluster of two members in front of a real kube-apiserver, on loopback addresses.

Each member lives in namespaces of its own (user, PID, IPC): Patroni's postmaster is an orphan by design, so only the
end of a PID namespace surely ends both, and the user namespace makes root look like an ordinary user to PostgreSQL.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from postgresql_server import binaries, free_port

START_SECONDS = 240
MAJOR = 17
_NAMESPACES = ["unshare", "-Uipf", "--map-user=1000", "--map-group=1000", "--mount-proc", "--kill-child"]


def missing() -> str:
    """Why no Patroni cluster can run here, with the cure; empty when it can."""
    absent = [name for name in ("etcd", "kube-apiserver") if program(name) is None]
    if absent:
        return f"no {' and no '.join(absent)}: let KUBEBUILDER_ASSETS name a folder that holds etcd and kube-apiserver"
    if shutil.which("openssl") is None:
        return "no openssl: apt-get install openssl"
    if subprocess.run([*_NAMESPACES, "true"], check=False, capture_output=True).returncode:
        return "user namespaces are not allowed here: run as root, or sysctl kernel.unprivileged_userns_clone=1"
    return ""


def program(name: str) -> str | None:
    """A server program of the folder of test servers, else of the machine."""
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    return shutil.which(name, path=f"{assets}:{os.environ.get('PATH', os.defpath)}")


@dataclass(frozen=True)
class PatroniMember:
    """Name, ports and data directory; both servers listen on 127.0.0.1."""

    name: str
    postgresql_port: int
    patroni_port: int
    data: Path


@dataclass(frozen=True)
class _Kubernetes:
    url: str
    token: str

    def request(self, method: str, path: str, body: object = None) -> int:
        """The HTTP status, 0 when nobody answers."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        try:
            with urllib.request.urlopen(request, timeout=10, context=unverified) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return 0


@contextmanager
def patroni_cluster() -> Iterator[tuple[PatroniMember, PatroniMember]]:
    """Two members, the first leads, the second streams; Patroni answers on both."""
    folder = Path(tempfile.mkdtemp(prefix="pgherd-patroni-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        etcd = stack.enter_context(_etcd(folder))
        kubernetes = stack.enter_context(_apiserver(folder, etcd))
        first, second = (
            PatroniMember(name, free_port("127.0.0.1"), free_port("127.0.0.1"), folder / name / "data")
            for name in ("demo-0", "demo-1")
        )
        for member, state in ((first, "running"), (second, "streaming")):
            stack.enter_context(
                _patroni(folder, member, kubernetes, lambda m=member, s=state: _state(first, m.name) == s)
            )
        yield first, second


def _state(asked: PatroniMember, name: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{asked.patroni_port}/cluster", timeout=5) as answer:
            members = json.load(answer)["members"]
    except OSError:
        return ""
    return str(next((member["state"] for member in members if member["name"] == name), ""))


@contextmanager
def _process(command: list[str], log: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """A server that runs until the end of the block; it is given up when it ends or is not ready in time."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{log.stem} did not become ready:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def _etcd(folder: Path) -> Iterator[str]:
    client, peer = (f"http://127.0.0.1:{free_port('127.0.0.1')}" for _ in range(2))
    options = {
        "data-dir": str(folder / "etcd"),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
    }
    command = [str(program("etcd")), "--unsafe-no-fsync", *(f"--{name}={value}" for name, value in options.items())]
    with _process(command, folder / "etcd.log", lambda: _Kubernetes(client, "").request("GET", "/health") == 200):
        yield client


@contextmanager
def _apiserver(folder: Path, etcd: str) -> Iterator[_Kubernetes]:
    key, tokens, port = folder / "sa.key", folder / "tokens.csv", free_port("127.0.0.1")
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    tokens.write_text("test,test,test\n")
    options = {
        "etcd-servers": etcd,
        "bind-address": "127.0.0.1",
        "secure-port": str(port),
        "cert-dir": str(folder / "certificates"),
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(key),
        "service-account-signing-key-file": str(key),
        "service-cluster-ip-range": "10.96.0.0/16",
        "authorization-mode": "AlwaysAllow",
        "token-auth-file": str(tokens),
        "disable-admission-plugins": "ServiceAccount",
    }
    kubernetes = _Kubernetes(f"https://127.0.0.1:{port}", "test")
    command = [str(program("kube-apiserver")), *(f"--{name}={value}" for name, value in options.items())]
    namespace = "/api/v1/namespaces/default"
    with _process(command, folder / "kube-apiserver.log", lambda: kubernetes.request("GET", namespace) == 200):
        yield kubernetes


@contextmanager
def _patroni(folder: Path, member: PatroniMember, kubernetes: _Kubernetes, ready: Callable[[], bool]) -> Iterator[None]:
    labels = {"application": "spilo", "cluster-name": "demo"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": member.name, "labels": labels},
        "spec": {"containers": [{"name": "postgres", "image": "postgres"}], "nodeName": "here"},
    }
    assert kubernetes.request("POST", "/api/v1/namespaces/default/pods", pod) == 201
    login = {"username": "postgres", "password": "secret"}
    data = folder / member.name
    data.mkdir(mode=0o700)
    configuration = {
        "scope": "demo",
        "name": member.name,
        "restapi": {
            "listen": f"127.0.0.1:{member.patroni_port}",
            "connect_address": f"127.0.0.1:{member.patroni_port}",
        },
        "kubernetes": {
            "context": "test",
            "namespace": "default",
            "labels": {"application": "spilo"},
            "scope_label": "cluster-name",
            "use_endpoints": True,
            "pod_ip": "10.0.0.1",
            "ports": [{"name": "postgresql", "port": 5432}],
        },
        "bootstrap": {
            "dcs": {
                "ttl": 30,
                "loop_wait": 2,
                "retry_timeout": 5,
                "maximum_lag_on_failover": 33554432,
                "postgresql": {"use_pg_rewind": True, "parameters": {"max_connections": 60, "max_wal_senders": 6}},
            },
            "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "no-sync"],
        },
        "postgresql": {
            "listen": f"127.0.0.1:{member.postgresql_port}",
            "connect_address": f"127.0.0.1:{member.postgresql_port}",
            "data_dir": str(member.data),
            "bin_dir": str(binaries(MAJOR) / "bin"),
            "pgpass": str(data / "pgpass"),
            "authentication": {"superuser": login, "replication": {"username": "standby", "password": "secret"}},
            "pg_hba": ["host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256"],
            "parameters": {"unix_socket_directories": "", "fsync": "off", "shared_buffers": "16MB"},
        },
    }
    # Patroni reads YAML, of which JSON is a part; so does its Kubernetes client.
    (data / "patroni.yml").write_text(json.dumps(configuration))
    (data / "kubeconfig").write_text(
        json.dumps(
            {
                "clusters": [{"name": "test", "cluster": {"server": kubernetes.url, "insecure-skip-tls-verify": True}}],
                "users": [{"name": "test", "user": {"token": kubernetes.token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            }
        )
    )
    environment = ["env", f"KUBECONFIG={data / 'kubeconfig'}"]
    command = [*_NAMESPACES, *environment, sys.executable, "-m", "patroni", str(data / "patroni.yml")]
    with _process(command, folder / f"{member.name}.log", ready):
        yield
