"""A real etcd and kube-apiserver without a node, for tests: the envtest convention (``KUBEBUILDER_ASSETS``)."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from ssl import create_default_context

import yaml

START_SECONDS = 180
TOKEN = "token-of-the-tests"


@dataclass(frozen=True)
class RealServer:
    """``kubeconfig`` is an administrator's."""

    kubeconfig: Path
    url: str


def assets() -> Path | None:
    """The folder with the binaries."""
    folder = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(folder) if folder and (Path(folder) / "kube-apiserver").is_file() else None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def _process(log: Path, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, cwd=log.parent) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def real_server(home: Path) -> Iterator[RealServer]:
    """Start both, wait until ready, stop both. State is below ``home``."""
    folder = assets()
    assert folder is not None
    ports = [_free_port() for _ in range(3)]
    etcd_url, url = f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[2]}"
    subprocess.run(["openssl", "genrsa", "-out", home / "sa.key", "2048"], check=True, capture_output=True)
    (home / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
    with ExitStack() as running:
        etcd = [folder / "etcd", f"--data-dir={home}/etcd", "--unsafe-no-fsync", f"--listen-client-urls={etcd_url}"]
        etcd += [f"--advertise-client-urls={etcd_url}", f"--listen-peer-urls=http://127.0.0.1:{ports[1]}"]
        running.enter_context(_process(home / "etcd.log", *etcd))
        options = {
            "etcd-servers": etcd_url,
            "bind-address": "127.0.0.1",
            "secure-port": ports[2],
            "cert-dir": home / "certs",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": home / "sa.key",
            "service-account-signing-key-file": home / "sa.key",
            "service-cluster-ip-range": "10.96.0.0/16",
            "authorization-mode": "RBAC",
            "token-auth-file": home / "tokens.csv",
            "disable-admission-plugins": "ServiceAccount",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        server = running.enter_context(_process(home / "apiserver.log", folder / "kube-apiserver", *arguments))
        _wait_until_ready(url, server, home)
        yield RealServer(_kubeconfig(home, url), url)


def _kubeconfig(home: Path, url: str) -> Path:
    cluster = {"server": url, "certificate-authority": str(home / "certs/apiserver.crt")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "real", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "real", "context": {"cluster": "real", "user": "admin"}}],
        "current-context": "real",
    }
    path = home / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, (home / "apiserver.log").read_text()[-2000:]
        try:
            trusted = create_default_context(cafile=str(home / "certs/apiserver.crt"))
            trusted.check_hostname = False
            with urllib.request.urlopen(f"{url}/readyz", context=trusted, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"kube-apiserver is not ready: {(home / 'apiserver.log').read_text()[-2000:]}")
