"""The whole system as processes: a localkube and an operator, started as `pgherd up` starts them, ended by their pids.

The tests talk to the API server as any client would; what only a machine under control allows (killing processes,
scripted faults) is asked of the platform by name, so a test says by what it calls what it needs.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import urllib3
import yaml

from localkube.node import processes
from pgherd.api.crd import crds
from pgherd.facts.fingerprint import stamped
from postgresql_server import binaries, free_port

PATIENCE = float(os.environ.get("PGHERD_PATIENCE", "240"))
"""Seconds for anything to happen: the machine may be slow."""
IMAGE = "pgherd/postgres:test"
NAMESPACE = "default"
CONFIGURATION = "operator"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/pgherd"
T = TypeVar("T")


def eventually(check: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """The first true answer; an error of the API or the database counts as no.

    AssertionError naming ``what`` after the deadline.
    """
    end = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < end:
        try:
            last = check()
        except (ApiRefusal, urllib3.exceptions.HTTPError, psycopg.OperationalError) as error:
            last = error
        else:
            if last:
                return last  # type: ignore[return-value]
        time.sleep(0.1)
    raise AssertionError(f"after {seconds} s still not: {what}; last answer: {last!r}")


class ApiRefusal(Exception):
    """The API server said no."""

    def __init__(self, code: int, body: Any) -> None:
        super().__init__(f"{code}: {body.get('message') if isinstance(body, dict) else body}")
        self.code = code


@dataclass
class Api:
    """JSON over HTTP with a bearer token; paths are relative to the server."""

    server: str
    token: str = field(repr=False)
    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(retries=False, timeout=30.0, maxsize=8)
    )

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        answer = self.pool.request(
            method,
            self.server + path,
            body=None if body is None else json.dumps(body),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind},
        )
        text = answer.data.decode()
        found = json.loads(text) if text.startswith(("{", "[")) else text
        if answer.status >= 400:
            raise ApiRefusal(answer.status, found)
        return found

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def find(self, path: str) -> Any:
        """The object, or None."""
        try:
            return self.get(path)
        except ApiRefusal as refusal:
            if refusal.code == 404:
                return None
            raise

    def stream(self, path: str) -> str:
        """Everything that a stream says until the server ends it."""
        head = {"Authorization": f"Bearer {self.token}"}
        return self.pool.request("GET", self.server + path, headers=head).data.decode()

    def merge(self, path: str, patch: Mapping[str, Any]) -> Any:
        return self.call("PATCH", path, patch, "application/merge-patch+json")


@dataclass
class Process:
    """One process with its log; ``kill`` is SIGKILL to it alone."""

    command: list[str]
    log: Path
    environment: Mapping[str, str]
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **self.environment}
            )

    def kill(self) -> None:
        assert self.running is not None
        self.running.kill()
        self.running.wait()

    def ended(self) -> bool:
        return self.running is None or self.running.poll() is not None

    def idle(self, seconds: float = 1.0) -> bool:
        """Whether it neither worked nor waited for a processor during so many seconds (but for a heartbeat)."""
        before, begin = self._busy(), time.monotonic()
        time.sleep(seconds)
        return self._busy() - before < 0.05 * (time.monotonic() - begin)

    def _busy(self) -> float:
        """Seconds of all its threads on a processor or in the queue for one."""
        assert self.running is not None
        total = 0
        for thread in Path(f"/proc/{self.running.pid}/task").iterdir():
            on_processor, waiting, _ = (thread / "schedstat").read_text().split()
            total += int(on_processor) + int(waiting)
        return total / 1e9

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.running is None or self.running.poll() is not None:
            return
        self.running.send_signal(number)
        try:
            self.running.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass
class Platform:
    """A localkube with its operators. ``configuration`` is what the OperatorConfiguration says beside the image."""

    home: Path
    api: Api
    localkube: Process
    operator: Process

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    def answers(self) -> bool:
        return bool(self.api.get("/readyz"))

    def lease_holder(self) -> str:
        return str(self.api.get(LEASE)["spec"].get("holderIdentity") or "")

    def leads(self) -> bool:
        """The operator process of this platform holds the Lease."""
        assert self.operator.running is not None
        return f"_{self.operator.running.pid}_" in self.lease_holder()

    def free_lease(self) -> None:
        """What an impatient administrator does after the death of an operator, instead of waiting 15 s."""
        self.api.merge(LEASE, {"spec": {"holderIdentity": ""}})
        eventually(self.leads, "the operator leads")

    def configure(self, **configuration: Any) -> None:
        """Change the OperatorConfiguration and start the operator again with it."""
        path = f"/apis/acid.zalan.do/v1/namespaces/{NAMESPACE}/operatorconfigurations/{CONFIGURATION}"
        self.operator.stop()
        self.api.merge(path, {"configuration": configuration})
        self.operator.start()
        eventually(self.leads, "the operator leads with its new configuration")

    @staticmethod
    def today() -> str:
        """In UTC, as the protection of a deletion wants it."""
        return datetime.now(UTC).strftime("%Y-%m-%d")

    def another_operator(self, name: str) -> Process:
        """One more candidate for the Lease; not started."""
        return Process(self.operator.command, self.home / f"{name}.log", self.operator.environment)

    # --- faults, scripted ---------------------------------------------------------------------------------------

    def fault(self, action: str, **fields: Any) -> None:
        self.api.call("POST", "/faults", {"action": action, **fields})

    def clear_faults(self) -> None:
        self.api.call("DELETE", "/faults")

    def calls(self) -> dict[tuple[str, str], int]:
        """Calls over HTTP by (verb, resource), since the faults were cleared."""
        return {(one["verb"], one["resource"]): one["count"] for one in self.api.get("/faults")["counts"]}

    def writes(self) -> dict[tuple[str, str], int]:
        """Those of :meth:`calls` that write; the Lease is written all the time."""
        quiet = ("get", "list", "watch")
        calls = self.calls().items()
        return {call: count for call, count in calls if call[0] not in quiet and not call[1].startswith("leases.")}

    def struck(self) -> bool:
        """Every fault that stands was met."""
        return all(rule["hits"] for rule in self.api.get("/faults")["rules"])

    # --- processes of pods --------------------------------------------------------------------------------------

    def pids(self, pod: str) -> dict[int, str]:
        """Process id → command line of everything that runs in a pod."""
        found = {}
        status = self.api.get(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}")["status"]
        for container in status.get("containerStatuses", []):
            mark = container.get("containerID", "").removeprefix("localkube://")
            for pid in processes.members(mark) if mark else ():
                with contextlib.suppress(OSError):
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                    found[pid] = b" ".join(words).decode(errors="replace").strip()
        return found

    def lasting_pids(self, pod: str) -> dict[int, str]:
        """Those that live as long as the pod does: supervisor, Patroni and postmaster, but no worker."""
        lasting = ("pgherd_instance", "/patroni", "patroni.", " -D ")
        found = self.pids(pod)
        return {pid: line for pid, line in found.items() if any(word in line for word in lasting)}

    def kill_pod(self, pod: str) -> None:
        """All processes of a pod, as when a machine loses power."""
        kill_at_once(list(self.pids(pod)))


def kill_at_once(pids: Sequence[int]) -> None:
    """SIGKILL, after all stand still: none sees another die."""
    signal_all(pids, signal.SIGSTOP)
    signal_all(pids, signal.SIGKILL)


def signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def platform(configuration: Mapping[str, Any] | None = None) -> Iterator[Platform]:
    """A fresh one, ended with everything that it started."""
    # So that a pod orphaned by a killed localkube is ours to wait for, and nobody's zombie.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    home = Path(tempfile.mkdtemp(prefix="pgh-", dir="/var/tmp"))
    home.chmod(0o755)
    address = "127.0.0.1"
    port = free_port(address)
    images = home / "images.yaml"
    images.write_text(yaml.safe_dump({"images": {IMAGE.split(":")[0]: _image()}}))
    # Room for some hundred clusters with two services each.
    network = f"127.{2 + secrets.randbelow(250)}.{16 * secrets.randbelow(16)}.0/20"
    serve = [sys.executable, "-m", "localkube", "serve", "--home", str(home), "--cache", str(binaries(18).parents[1])]
    serve += ["--address", address, "--port", str(port)]
    serve += ["--config", str(images), "--network", network]
    localkube = Process([*serve, "--test-faults"], home / "localkube.log", {})
    operator = Process(
        [sys.executable, "-m", "pgherd.cli", "--kubeconfig", str(home / "kubeconfig"), "run", "--kubeqps", "500"],
        home / "operator.log",
        {
            "OPERATOR_NAMESPACE": NAMESPACE,
            "WATCHED_NAMESPACE": "*",
            "POSTGRES_OPERATOR_CONFIGURATION_OBJECT": CONFIGURATION,
        },
    )
    localkube.start()
    try:
        kubeconfig = home / "kubeconfig"
        eventually(lambda: kubeconfig.is_file() and yaml.safe_load(kubeconfig.read_text()), "localkube answers")
        access = yaml.safe_load(kubeconfig.read_text())
        api = Api(access["clusters"][0]["cluster"]["server"], access["users"][0]["user"]["token"])
        made = Platform(home, api, localkube, operator)
        _prepare(made, configuration or {})
        yield made
    finally:
        operator.stop()
        localkube.stop(signal.SIGUSR1)
        _end_leftovers(home)
        if not os.environ.get("PGHERD_KEEP"):
            shutil.rmtree(home, ignore_errors=True)


def _image() -> dict[str, Any]:
    return {
        "command": ["{python}", "-m", "pgherd_instance"],
        "programs": {"patronictl": ["{python}", "-c", "from patroni.ctl import ctl; ctl()"]},
        "packages": [{"kind": "postgresql", "major_from": {"env": ["PGVERSION"], "default": 18}}],
    }


def _prepare(made: Platform, configuration: Mapping[str, Any]) -> None:
    for definition in crds():
        made.api.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", stamped(definition))
    body = {
        "apiVersion": "acid.zalan.do/v1",
        "kind": "OperatorConfiguration",
        "metadata": {"name": CONFIGURATION, "namespace": NAMESPACE},
        "configuration": {
            "docker_image": IMAGE,
            "patroni": {"enable_patroni_failsafe_mode": True},
            **configuration,
        },
    }
    path = f"/apis/acid.zalan.do/v1/namespaces/{NAMESPACE}/operatorconfigurations"
    eventually(lambda: made.api.call("POST", path, body), "the configuration is stored")


def _end_leftovers(home: Path) -> None:
    """What a failed test left running below this home."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if f"={home}/".encode() in (folder / "environ").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)
