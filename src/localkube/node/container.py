"""One container of a pod, from its first start to its last end.

What must survive localkube is on disk before it matters: the record with the id of a start is written before the
start, and the shim writes its pid and the exit code itself. So whatever moment localkube is killed in, the next one
finds either a running shim that carries the id, or the exit code, or remains without a shim, which it ends. A container
counts as ended only when none of its processes is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from localkube.api import Object
from localkube.controllers.recorder import now
from localkube.node import inside, packages, probes, processes
from localkube.node.environment import ConfigError, command_line, container_environment
from localkube.node.images import Image
from localkube.node.inside import Surroundings, resolve
from localkube.node.sandbox import Launch
from localkube.node.volumes import MountError, link_postgresql

BACK_OFF = 10.0
BACK_OFF_LIMIT = 300.0
FORGIVEN_AFTER = 600.0
"""Seconds: the first pause before a repeated restart, the longest one, the run after which the count begins anew."""

SPAWN_POLL = 0.005
UNSUPPORTED = {"startupProbe", "lifecycle"}


class StartError(Exception):
    """The program could not be started."""


@dataclass
class Record:
    """What the next localkube has to know. ``last`` is the previous ``terminated`` state."""

    id: str = ""
    restarts: int = 0
    failures: int = 0
    started: str = ""
    last: Object = field(default_factory=dict)


class Container:
    """``changed`` is called after each change of what :meth:`status` says."""

    def __init__(self, around: Surroundings, spec: Object, before: Object, changed: Callable[[], None]) -> None:
        """``before`` is its status as an earlier localkube wrote it, empty for a new one."""
        self._around = around
        self.spec = spec
        self.name: str = spec["name"]
        self._changed = changed
        self._file = around.folder / ".state" / f"{self.name}.json"
        saved = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._record = Record(**saved)
        self._stopping = asyncio.Event()
        self.adopted = asyncio.Event()
        self._shim = 0
        self.state: Object = before.get("state") or {"waiting": {"reason": "ContainerCreating"}}
        self.ready = bool(before.get("ready"))

    @property
    def root(self) -> Path:
        return self._around.folder / self.name

    def log(self, restarts: int | None = None) -> Path:
        number = self._record.restarts if restarts is None else restarts
        return self._around.folder / ".logs" / f"{self.name}.{number}.log"

    @property
    def restarts(self) -> int:
        return self._record.restarts

    @property
    def running(self) -> bool:
        return "running" in self.state

    def status(self) -> Object:
        image = self.spec.get("image", "")
        identity = {"containerID": f"localkube://{self._record.id}"} if self._record.id else {}
        return {
            "name": self.name,
            "image": image,
            "imageID": f"localkube://{image}",
            "ready": self.ready,
            "started": self.running,
            "restartCount": self._record.restarts,
            "state": self.state,
            "lastState": {"terminated": self._record.last} if self._record.last else {},
            **identity,
        }

    async def run(self, again: Callable[[int], bool]) -> int:
        """Start, and start again as long as ``again(exit code)`` says so; returns the last exit code."""
        code = await self._adopt()
        while True:
            if code is None:
                code = await self._start_until_possible()
            if self._stopping.is_set() or not again(code):
                return code
            await self._pause()
            if self._stopping.is_set():
                return code
            code = None

    async def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL to all that is left when the grace period (seconds) is over."""
        self._stopping.set()
        await self._end(grace)

    async def kill(self) -> None:
        self._stopping.set()
        await processes.kill_all(self._record.id, self._places())

    async def _end(self, grace: float) -> None:
        if not self._shim:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                if program := self._around.sandbox.program(self._shim):
                    processes.send(program, signal.SIGTERM)
                    await processes.ended(self._shim)
        await processes.kill_all(self._record.id, self._places())

    def command_in(self, words: Sequence[str], *, tty: bool = False) -> tuple[list[str], dict[str, str]]:
        """The words and environment that run a command in this container, as its user, in its root folder."""
        program = self._around.sandbox.program(self._shim) if self._shim else 0
        if not program:
            raise StartError(f'container "{self.name}" is not running')
        environment = processes.environment_of(self._shim)
        return self._around.sandbox.enter(program, self._folder(), resolve(self.root, words), tty=tty), environment

    async def _adopt(self) -> int | None:
        """Go on with the container that an earlier localkube started; None if there is none."""
        if not self._record.id:
            self.adopted.set()
            return None
        if not self._record.started:
            self.adopted.set()
            self._set({"terminated": self._record.last})
            return int(self._record.last["exitCode"])
        prefix = self._prefix()
        with contextlib.suppress(OSError, ValueError):
            shim = int(prefix.with_suffix(".pid").read_text())
            if processes.mark_of(shim) == self._record.id and processes.is_running(shim):
                return await self._attend(shim)
        return await self._finish(self._record.started)

    async def _start_until_possible(self) -> int:
        """Start it and wait for its end; what cannot be started yet is tried again, saying why in the status."""
        attempts = 0
        while not self._stopping.is_set():
            try:
                await self._fetch()
                if self._stopping.is_set():
                    break
                process = self._start()
                return await self._attend(process.pid, process)
            except packages.PackageError as error:
                reason, problem = ("ErrImagePull", "ImagePullBackOff")[min(attempts, 1)], str(error)
            except ConfigError as error:
                reason, problem = "CreateContainerConfigError", str(error)
            except MountError as error:
                reason, problem = "ContainerCreating", str(error)
            except StartError as error:
                self._around.record_event("Failed", f"Error: {error}", warning=True)
                return self._terminated(128, "StartError", str(error), now())
            self._set({"waiting": {"reason": reason, "message": problem}})
            event = "FailedMount" if reason == "ContainerCreating" else "Failed"
            self._around.record_event(event, problem, warning=True)
            attempts += 1
            await self._sleep(min(BACK_OFF, 0.5 * 2**attempts))
        return 137

    async def _fetch(self) -> None:
        """Have the packages that the container asks for in the cache; the pod may be asked to stop meanwhile."""
        image = self._image()
        if major := image.postgresql_major(container_environment(self._around.volumes.sources, self.spec, {})):
            await asyncio.to_thread(packages.ensure_postgresql, major, self._around.cache)

    def _start(self) -> subprocess.Popen[bytes]:
        around = self._around
        if unknown := UNSUPPORTED & self.spec.keys():
            raise ConfigError(f"{', '.join(sorted(unknown))}: localkube does not do this; a real cluster does")
        image = self._image()
        around.volumes.prepare()
        around.volumes.make_root(self.root, image)
        environment = inside.environment(around, self.spec, self.root, image)
        if major := image.postgresql_major(environment):
            link_postgresql(self.root, major, packages.ensure_postgresql(major, around.cache))
        around.volumes.mount(self.spec, self.root)
        around.record_event("Pulled", f'Container image "{self.spec["image"]}" already present on machine')
        python = around.sandbox.python
        words = command_line(self.spec, [word.replace("{python}", python) for word in image.command], environment)
        command = resolve(self.root, words)
        if not shutil.which(command[0], path=environment["PATH"]):
            raise StartError(f'exec: "{command[0]}": executable file not found in $PATH')
        restarts = self._record.restarts + 1 if self._record.id else 0
        self._record = replace(self._record, id=uuid.uuid4().hex, restarts=restarts, started=now())
        environment[processes.MARK] = self._record.id
        self._save()
        around.volumes.make_folder(self._folder())
        self.log().parent.mkdir(exist_ok=True)
        self.log(restarts - 2).unlink(missing_ok=True)
        around.record_event("Created", f"Created container {self.name}")
        process = around.sandbox.start(Launch(self._prefix(), command, environment, self._folder(), self.log()))
        around.record_event("Started", f"Started container {self.name}")
        return process

    async def _attend(self, shim: int, process: subprocess.Popen[bytes] | None = None) -> int:
        """Probe a running container and wait for its end; returns its exit code."""
        self._shim = shim
        while not self._around.sandbox.program(shim) and processes.is_running(shim):  # noqa: ASYNC110
            await asyncio.sleep(SPAWN_POLL)
        self.adopted.set()
        started = self._record.started
        # An adopted one stays as ready as it was, if a probe decides; the former localkube may not have said it yet.
        if process or "readinessProbe" not in self.spec:
            self.ready = "readinessProbe" not in self.spec
        self._set({"running": {"startedAt": started}})
        probing = asyncio.create_task(self._probe())
        try:
            await processes.ended(shim)
        finally:
            probing.cancel()
        if process:
            process.wait()
        return await self._finish(started)

    async def _finish(self, started: str) -> int:
        await processes.kill_all(self._record.id, self._places())
        self._shim = 0
        code = 137
        with contextlib.suppress(OSError, ValueError):
            code = int(self._prefix().with_suffix(".exit").read_text())
        return self._terminated(code, "Error" if code else "Completed", "", started)

    def _terminated(self, code: int, reason: str, message: str, started: str) -> int:
        ended: Object = {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now()}
        if message:
            ended["message"] = message
        ended["containerID"] = f"localkube://{self._record.id}"
        failures = 0 if self._stopping.is_set() else self._record.failures + 1
        self._record = replace(self._record, last=ended, started="", failures=failures)
        self._record.id = self._record.id or uuid.uuid4().hex
        self._save()
        self.ready = False
        self._set({"terminated": ended})
        return code

    async def _pause(self) -> None:
        """Kubernetes' crash loop: the first restart is at once, then 10 s, 20 s, … 300 s after the last end."""
        failures = self._record.failures
        pause = 0.0 if failures < 2 else min(BACK_OFF_LIMIT, BACK_OFF * 2 ** (failures - 2))
        if pause:
            message = f"back-off {pause:g}s restarting failed container={self.name}"
            self._set({"waiting": {"reason": "CrashLoopBackOff", "message": message}})
            self._around.record_event("BackOff", "Back-off restarting failed container", warning=True)
        await self._sleep(pause)
        held = asyncio.ensure_future(self._around.may_restart())
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({held, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            held.cancel()
            stopped.cancel()

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _probe(self) -> None:
        async def ready(good: bool, problem: str) -> None:
            if problem:
                self._around.record_event("Unhealthy", f"Readiness probe failed: {problem}", warning=True)
            if self.ready != good:
                self.ready = good
                self._changed()

        async def alive(good: bool, problem: str) -> None:
            if not good:
                await self._unhealthy(problem)

        target = self._target()
        async with asyncio.TaskGroup() as group:
            for kind, verdict in (("readinessProbe", ready), ("livenessProbe", alive)):
                if probe := self.spec.get(kind):
                    group.create_task(probes.watch(target, probe, verdict))
            await asyncio.sleep(FORGIVEN_AFTER)
            self._record.failures = 0
            self._save()

    async def _unhealthy(self, problem: str) -> None:
        self._around.record_event("Unhealthy", f"Liveness probe failed: {problem}", warning=True)
        self._around.record_event("Killing", f"Container {self.name} failed liveness probe, will be restarted")
        await self._end(float(self._around.volumes.sources.pod["spec"].get("terminationGracePeriodSeconds", 30)))

    def _target(self) -> probes.Target:
        return probes.Target(self._around.address, self.spec, self.command_in)

    def _image(self) -> Image:
        image = self._around.images.find(self.spec.get("image") or "")
        if image is None:
            raise packages.PackageError(self._around.images.refusal(self.spec.get("image") or ""))
        return image

    def _folder(self) -> Path:
        return self.root / str(self.spec.get("workingDir") or "").strip("/")

    def _prefix(self) -> Path:
        return self._around.folder / ".state" / self._record.id

    def _places(self) -> list[Path]:
        """Folders whose unmarked processes are this container's; in a pod of several that cannot be told."""
        if len(self._around.volumes.sources.pod["spec"]["containers"]) > 1:
            return []
        with contextlib.suppress(MountError):
            return [self._around.folder, *self._around.volumes.claims()]
        return [self._around.folder]

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self._record)))
        draft.replace(self._file)

    def _set(self, state: Object) -> None:
        if state != self.state:
            self.state = state
            self._changed()
