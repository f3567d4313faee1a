"""Pods as processes: the instance runtime started as the node starts it, without a process namespace."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instance.api_server import ApiServer
from localkube.node import processes
from localkube.node.sandbox import Sandbox, probe
from postgresql_server import binaries

PATIENCE = 240
ELSEWHERE = "192.0.2.7"
DCS = {"ttl": 20, "loop_wait": 1, "retry_timeout": 5}


def wait(what: str, ready: Callable[[], object], *concerned: Pod, lives: bool = True) -> Any:
    """The first true answer; an error with the end of the logs after PATIENCE seconds, or when a pod has ended.

    ``lives``: whether the pods concerned have to go on meanwhile.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            if answer := ready():
                return answer
        ended = [pod.name for pod in concerned if lives and pod.process is not None and pod.process.poll() is not None]
        if ended or time.monotonic() > deadline:
            left = {pod.name: pod.remains() for pod in concerned}
            logs = "\n".join(f"--- {pod.name}\n{left[pod.name]}\n{pod.log()[-9000:]}" for pod in concerned)
            raise AssertionError(f"{what}: {', '.join(ended) or 'nothing'} ended, not within {PATIENCE} s\n{logs}")
        time.sleep(0.1)


def free_address() -> str:
    """An address of 127/8 whose ports 5432 and 8008 are free."""
    while True:
        address = "127." + ".".join(str(1 + secrets.randbelow(253)) for _ in range(3))
        with contextlib.suppress(OSError):
            for port in (5432, 8008):
                with socket.socket() as probing:
                    probing.bind((address, port))
            return address


@dataclass
class Pod:
    """``variables`` are those beyond the common ones; ``process`` is the container's main process."""

    name: str
    address: str
    major: int
    root: Path
    variables: Mapping[str, str]
    sandbox: Sandbox
    process: subprocess.Popen[bytes] | None = None
    mark: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def log_file(self) -> Path:
        return self.root.with_name(f"{self.root.name}.log")

    def log(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""

    @property
    def data(self) -> Path:
        return self.root / "home/postgres/pgdata/pgroot/data"

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.root}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": self.sandbox.pythonpath,
            "PYTHONFAULTHANDLER": "1",
            processes.MARK: self.mark,
            "HOSTNAME": self.name,
            "HOME": str(self.root / "home/postgres"),
            "PGHERD_POD_ROOT": str(self.root),
            "PGHERD_LISTEN_ADDRESS": self.address,
            **self.variables,
        }

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.sandbox.become, self.sandbox.python, "-m", "pgherd_instance"],
                env=self.environment(),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the main process; its exit status."""
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def run(self, *command: str) -> str:
        """As ``kubectl exec`` does: in the pod's environment, as its user."""
        result = subprocess.run(
            [*self.sandbox.become, "/usr/bin/env", *command],
            env=self.environment(),
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        if result.returncode:
            raise subprocess.CalledProcessError(result.returncode, command, result.stdout, result.stderr)
        return result.stdout.strip()

    def sql(self, *statements: str) -> str:
        """With the pod's own psql, without arguments that say where and as whom."""
        return self.run("psql", "-XAtq", *(word for text in statements for word in ("-c", text)))

    def patroni(self, path: str = "patroni") -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://{self.address}:8008/{path}", timeout=10) as answer:
                return dict(json.load(answer))
        except OSError:
            return {}

    def is_primary(self) -> bool:
        status = self.patroni()
        return status.get("state") == "running" and status.get("role") == "primary"

    def is_streaming(self) -> bool:
        return self.patroni().get("replication_state") == "streaming"

    def processes(self) -> set[int]:
        return processes.members(self.mark, [self.root])

    def remains(self) -> str:
        """Each process that runs: number, state, parent, where the kernel holds it, command. The stacks of those that
        are Python's are in the log afterwards, and they have ended."""
        lines = []
        for pid in sorted(self.processes()):
            with contextlib.suppress(OSError):
                process = Path(f"/proc/{pid}")
                state, parent = processes.state_and_parent(pid)
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                lines.append(f"{pid} {state} {parent} {(process / 'wchan').read_text()} {command}")
                if "python" in command.partition(" ")[0]:
                    os.kill(pid, signal.SIGABRT)
        return "\n".join(lines)

    def end(self) -> None:
        """Whatever is left, by process id."""
        while pids := self.processes():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.process is not None:
                self.process.poll()
            time.sleep(0.05)
        if self.process is not None:
            self.process.wait()


@dataclass(frozen=True)
class Pods:
    """A factory of the pods of one cluster; ``folder`` is short, so that socket paths are."""

    api: ApiServer
    folder: Path
    sandbox: Sandbox
    made: list[Pod]

    def make(self, name: str, major: int, *, below: str = "", **variables: str) -> Pod:
        """Not started yet. ``below`` makes the pod's folder deeper; the pod object exists in the API afterwards."""
        scope = name.rpartition("-")[0]
        address = free_address()
        pod = Pod(
            name,
            address,
            major,
            self.folder / below / name,
            {**self._common(scope, major, address), **variables},
            self.sandbox,
        )
        programs = pod.root / "usr/lib/postgresql"
        programs.mkdir(parents=True)
        (programs / str(major)).symlink_to(binaries(major))
        (pod.root / "home/postgres/pgdata").mkdir(parents=True)
        for folder in (pod.root, *pod.root.rglob("*")):
            if not folder.is_symlink():
                self.sandbox.own(folder)
        labels = {"application": "spilo", "cluster-name": scope}
        spec = {"automountServiceAccountToken": False, "containers": [{"name": "postgres", "image": "none"}]}
        body = {"metadata": {"name": name, "labels": labels}, "spec": spec, "kind": "Pod", "apiVersion": "v1"}
        self.api.call("POST", "pods", body)
        self.made.append(pod)
        return pod

    def _common(self, scope: str, major: int, address: str) -> dict[str, str]:
        initdb = [{"auth-host": "scram-sha-256"}, {"auth-local": "trust"}]
        return {
            "SCOPE": scope,
            "PGROOT": "/home/postgres/pgdata/pgroot",
            "POD_IP": address if self.api.loopback else ELSEWHERE,
            "PG_CONNECT_ADDRESS": f"{address}:5432",
            "RESTAPI_CONNECT_ADDRESS": f"{address}:8008",
            "POD_NAMESPACE": "default",
            "PGUSER_SUPERUSER": "postgres",
            "PGPASSWORD_SUPERUSER": "it's \\ secret",
            "PGUSER_STANDBY": "standby",
            "PGPASSWORD_STANDBY": "standby's: secret",
            "KUBERNETES_SCOPE_LABEL": "cluster-name",
            "KUBERNETES_ROLE_LABEL": "spilo-role",
            "KUBERNETES_LABELS": '{"application":"spilo"}',
            "KUBERNETES_BOOTSTRAP_LABELS": '{"critical-operation":"true"}',
            "HUMAN_ROLE": "zalandos",
            "PAM_OAUTH2": "https://info.example.com/oauth2/tokeninfo?access_token= uid realm=/employees",
            "PGVERSION": str(major),
            "SPILO_CONFIGURATION": json.dumps({"postgresql": {}, "bootstrap": {"initdb": initdb, "dcs": DCS}}),
            "DCS_ENABLE_KUBERNETES_API": "true",
            "KUBERNETES_SERVICE_HOST": "192.0.2.1",
            "KUBERNETES_SERVICE_PORT": "443",
            "KUBECONFIG": str(self.api.kubeconfig),
            "PATRONI_KUBERNETES_CONTEXT": self.api.context,
            "PGHERD_MEMORY_LIMIT": str(256 * 1024 * 1024),
        }


@contextlib.contextmanager
def running(api: ApiServer) -> Iterator[Pods]:
    folder = Path(tempfile.mkdtemp(prefix="pgi-"))
    made: list[Pod] = []
    try:
        folder.chmod(0o755)
        yield Pods(api, folder, probe(folder), made)
    finally:
        for pod in made:
            pod.end()
        shutil.rmtree(folder)
