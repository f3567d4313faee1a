"""localkube as it runs on a machine: a process of its own under the supervisor, killed without warning."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from local_machine import IMAGES
from localkube.node import processes
from localkube.supervisor import Service, start, status, stop
from postgresql_server import free_port

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl: get one from kubernetes.io")
T = TypeVar("T")
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {
        "containers": [
            {
                "name": "c",
                "image": "test/python",
                "command": ["sh", "-c", "trap 'echo bye; exit 0' TERM; while :; do echo tick; sleep 0.2; done"],
            }
        ]
    },
}


@dataclass
class Running:
    home: Path
    services: list[Service]

    def kubectl(self, *words: str, stdin: str = "") -> str:
        command = ["kubectl", "--kubeconfig", str(self.home / "kubeconfig"), "--cache-dir", str(self.home), *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise OSError(done.stderr)
        return done.stdout

    def pod(self) -> Any:
        return json.loads(self.kubectl("get", "pod", "p", "-o", "json"))

    def pid(self) -> int:
        """Of the pod's shim."""
        (file,) = (self.home / "pods").glob("*/.state/*.pid")
        return int(file.read_text())


def until(what: str, ready: Callable[[], T]) -> T:
    end, answer = time.monotonic() + 120, None
    while time.monotonic() < end:
        try:
            if answer := ready():
                return answer
        except (OSError, KeyError, ValueError) as error:
            answer = error  # type: ignore[assignment]
        time.sleep(0.05)
    raise AssertionError(f"{what}: {answer}")


@pytest.fixture
def running() -> Iterator[Running]:
    home = Path(tempfile.mkdtemp(prefix="lk-"))
    home.chmod(0o755)
    (home / "programs.yaml").write_text(yaml.safe_dump({"images": IMAGES}))
    network = f"127.{2 + secrets.randbelow(250)}.{secrets.randbelow(256)}.0/24"
    command = [sys.executable, "-m", "localkube", "serve", "--home", str(home), "--config", str(home / "programs.yaml")]
    command += ["--port", str(free_port("127.0.0.1")), "--network", network]
    machine = Running(home, [Service("localkube", command, stop="SIGUSR1")])
    start(home, machine.services)
    try:
        until("the API answers", lambda: machine.kubectl("get", "nodes"))
        yield machine
    finally:
        stop(home)
        shutil.rmtree(home)


def test_killed_and_started_again(running: Running) -> None:
    running.kubectl("apply", "-f", "-", stdin=json.dumps(POD))
    running.kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
    before, pid = running.pod(), running.pid()
    os.kill(status(running.home)[0].pid, signal.SIGKILL)
    until("the supervisor starts it again", lambda: running.pod()["metadata"]["uid"] == before["metadata"]["uid"])
    until("exec works", lambda: running.kubectl("exec", "p", "--", "echo", "hi") == "hi\n")
    assert running.pid() == pid
    assert processes.is_running(pid)
    after = running.pod()
    assert after["status"]["containerStatuses"][0]["restartCount"] == 0
    assert after["status"]["podIP"] == before["status"]["podIP"]
    lines = len(running.kubectl("logs", "p").splitlines())
    until("it goes on writing", lambda: len(running.kubectl("logs", "p").splitlines()) > lines)


def test_down_ends_the_pods_cleanly_and_up_resumes(running: Running) -> None:
    running.kubectl("apply", "-f", "-", stdin=json.dumps(POD))
    running.kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
    uid, pid = running.pod()["metadata"]["uid"], running.pid()
    stop(running.home)
    assert not processes.is_running(pid)
    (log,) = (running.home / "pods").glob("*/.logs/c.0.log")
    assert log.read_text().endswith("bye\n")
    start(running.home, running.services)
    until("it runs again", lambda: running.pod()["status"]["containerStatuses"][0]["restartCount"] == 1)
    running.kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
    assert running.pod()["metadata"]["uid"] == uid


def test_down_after_localkube_has_died_leaves_no_process(running: Running) -> None:
    running.kubectl("apply", "-f", "-", stdin=json.dumps(POD))
    running.kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
    pid = running.pid()
    supervisor = int((running.home / "run/supervisor.lock").read_text())
    os.kill(supervisor, signal.SIGKILL)
    os.kill(status(running.home)[0].pid, signal.SIGKILL)
    stop(running.home)
    assert not processes.is_running(pid)
