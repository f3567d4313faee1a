"""The whole system as processes: a localkube and an operator, as `pgherd up` starts them, ended by their pids."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from api_client import Api, eventually
from localkube.node import processes
from operator_account import Account, helm, render
from platforms import CONFIGURATION, Platform, merged, operator_environment
from postgresql_server import binaries, free_port
from system_processes import Kept, Process, command_lines

IMAGE = "pgherd/postgres:test"


@dataclass
class LocalkubePlatform(Platform):
    """With faults, scripted."""

    offers: ClassVar[frozenset[str]] = frozenset({"faults", "processes", "control-plane"})

    localkube: Process

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def logs(self) -> Sequence[Path]:
        return [*super().logs, self.localkube.log]

    def kill_control_plane(self) -> None:
        self.localkube.kill()

    def start_control_plane(self) -> None:
        self.localkube.start()

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

    @contextlib.contextmanager
    def staying_dead(self, pod: str) -> Iterator[None]:
        self.fault("hold-restart", name=pod)
        try:
            yield
        finally:
            self.clear_faults()

    def pids(self, pod: str) -> dict[int, str]:
        status = self.api.get(f"{self.core}/pods/{pod}")["status"]
        marks = [one.get("containerID", "") for one in status.get("containerStatuses", [])]
        found = [processes.members(mark.removeprefix("localkube://")) for mark in marks if mark]
        return command_lines([pid for pids in found for pid in pids])


@contextlib.contextmanager
def platform(configuration: Mapping[str, Any]) -> Iterator[LocalkubePlatform]:
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
    serve += ["--config", str(images), "--network", network, "--audit-log", str(home / "audit.log")]
    localkube = Process([*serve, "--test-faults"], home / "localkube.log", {})
    operator = Kept(
        [sys.executable, "-m", "pgherd.cli", "--kubeconfig", str(home / "operator"), "run", "--kubeqps", "500"],
        home / "operator.log",
        operator_environment("default", "*"),
    )
    localkube.start()
    try:
        kubeconfig = home / "kubeconfig"
        eventually(lambda: kubeconfig.is_file() and yaml.safe_load(kubeconfig.read_text()), "localkube answers")
        made = LocalkubePlatform(home, Api.of_kubeconfig(kubeconfig), operator, localkube)
        usual = {"docker_image": IMAGE, "patroni": {"enable_patroni_failsafe_mode": True}}
        made.prepare(merged(usual, configuration))
        account = _account(made, merged(usual, configuration))
        yield made
        operator.stop()
        if account:
            account.check()
    finally:
        operator.stop()
        localkube.stop(signal.SIGUSR1)
        _end_leftovers(home)
        if not os.environ.get("PGHERD_KEEP"):
            shutil.rmtree(home, ignore_errors=True)


def _account(made: LocalkubePlatform, configuration: Mapping[str, Any]) -> Account | None:
    """The operator's; where no Helm says what it may do, the operator is the administrator.

    localkube refuses nobody, but its audit log shows at the end what was used.
    """
    if helm() is None:
        (made.home / "operator").symlink_to(made.kubeconfig)
        return None
    granted = render("pgherd", made.api.namespace, configuration, CONFIGURATION)
    account = Account(made.api, granted, made.home / "audit.log", enforced=False)
    account.install(made.kubeconfig, made.home / "operator")
    return account


def _image() -> dict[str, Any]:
    return {
        "command": ["{python}", "-m", "pgherd_instance"],
        "programs": {"patronictl": ["{python}", "-c", "from patroni.ctl import ctl; ctl()"]},
        "packages": [{"kind": "postgresql", "major_from": {"env": ["PGVERSION"], "default": 18}}],
    }


def _end_leftovers(home: Path) -> None:
    """What a failed test left running below this home."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if f"={home}/".encode() in (folder / "environ").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)
