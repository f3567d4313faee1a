"""One pod on this machine: its containers in order, its status, its end.

The status is written at every change, at once: that all processes of a container have ended is news for the operator.
The object goes away only after the last process has, and a pod of the same name starts only then, so that two of them
never share a claim.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localkube.api import Api, Object, Status
from localkube.controllers.recorder import Recorder, now
from localkube.node.addresses import Addresses
from localkube.node.container import Container
from localkube.node.environment import Sources
from localkube.node.images import Images
from localkube.node.inside import Surroundings
from localkube.node.sandbox import Sandbox
from localkube.node.volumes import MountError, Volumes


class Access(Protocol):
    """What the node has of the API server beside its objects."""

    @property
    def url(self) -> str: ...

    def service_account_token(self, namespace: str, name: str) -> str: ...

    def restart_held(self, namespace: str, pod: str) -> bool:
        """Whether a fault keeps an ended container of this pod from being started again."""
        ...


@dataclass(frozen=True)
class Machine:
    """What the node gives to each pod. ``may_restart(namespace, name)`` returns when no fault hook holds it."""

    name: str
    home: Path
    cache: Path
    images: Images
    sandbox: Sandbox
    addresses: Addresses
    api: Api
    access: Access
    recorder: Recorder
    may_restart: Callable[[str, str], Awaitable[None]]

    def pod_folder(self, uid: str) -> Path:
        """Short, for PostgreSQL's socket below it: a socket's path has at most 107 bytes."""
        return self.home / "pods" / uid[:8]


class Pod:
    def __init__(self, machine: Machine, obj: Object) -> None:
        self._machine = machine
        meta, spec = obj["metadata"], obj["spec"]
        self.namespace, self.name, self.uid = meta["namespace"], meta["name"], meta["uid"]
        self.address = machine.addresses.take(self.uid)
        self._folder = machine.pod_folder(self.uid)
        self._sources = Sources(machine.api, obj)
        self._volumes = Volumes(machine.home, self._folder, self._sources, machine.sandbox, self._token(spec))
        self._leaving = asyncio.Event()
        self._vanished = asyncio.Event()
        around = self._surroundings()
        status = obj.get("status") or {}
        told = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
        before = {container["name"]: container for container in told}

        def contained(kind: str) -> list[Container]:
            return [Container(around, c, before.get(c["name"], {}), self._write_status) for c in spec.get(kind) or []]

        self._initial, self._containers = contained("initContainers"), contained("containers")
        self._policy = spec.get("restartPolicy") or "Always"
        conditions = {c["type"]: c["status"] for c in status.get("conditions") or []}
        self._initialized = not self._initial or conditions.get("Initialized") == "True"
        self._over = self._stopped = False
        self.update(obj)

    def container(self, name: str) -> Container:
        return next(c for c in [*self._initial, *self._containers] if c.name == name)

    @property
    def running_containers(self) -> list[Container]:
        return [c for c in [*self._initial, *self._containers] if c.running]

    def update(self, obj: Object) -> None:
        """The pod as it is now."""
        obj.setdefault("status", {}).update(podIP=self.address, hostIP="127.0.0.1")
        self._sources.pod = obj
        if obj["metadata"].get("deletionTimestamp"):
            self._leaving.set()

    def vanish(self) -> None:
        """The object is gone: whatever still runs must go at once."""
        self._vanished.set()
        self._leaving.set()

    def refresh_volumes(self) -> None:
        """A Secret, a ConfigMap or the pod's own labels have changed."""
        if self.running_containers:
            with contextlib.suppress(MountError):
                self._volumes.prepare()

    async def run(self, predecessor: Awaitable[None] | None) -> None:
        """Until the pod is gone; ``predecessor`` is the end of an earlier pod of the same name."""
        if predecessor:
            await predecessor
        phase = self._sources.pod["status"].get("phase")
        life = None if phase in ("Succeeded", "Failed") else asyncio.create_task(self._live())
        try:
            await self._leaving.wait()
            await self.stop(float(self._sources.pod["metadata"].get("deletionGracePeriodSeconds") or 0))
            if life:
                await asyncio.wait({life})
        finally:
            if life:
                life.cancel()
        self._write_status()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        with contextlib.suppress(Status):
            self._machine.api.delete("pods", self.namespace, self.name, uid=self.uid, grace=0)
        self._machine.addresses.release_owner(self.uid)

    async def stop(self, grace: float) -> None:
        """End all containers, for good as far as this process is concerned; the object stays."""
        for container in self.running_containers:
            self._event("Killing", f"Stopping container {container.name}")
        containers = [*self._initial, *self._containers]
        self._stopped = True
        async with asyncio.TaskGroup() as group:
            escalation = group.create_task(self._kill_when_vanished(containers))
            await asyncio.gather(*(container.stop(grace) for container in containers))
            escalation.cancel()

    async def _kill_when_vanished(self, containers: Sequence[Container]) -> None:
        await self._vanished.wait()
        await asyncio.gather(*(container.kill() for container in containers))

    async def _live(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_status()
        for container in self._initial:
            if await container.run(lambda code: bool(code) and self._policy != "Never"):
                self._over = not self._stopped
                return self._write_status()
        self._initialized = True
        await asyncio.gather(*(container.run(self._again) for container in self._containers))
        self._over = not self._stopped
        return self._write_status()

    def _again(self, code: int) -> bool:
        return self._policy == "Always" or (self._policy == "OnFailure" and code != 0)

    def _phase(self) -> str:
        if self._over:
            codes = [(c.state.get("terminated") or {}).get("exitCode", 1) for c in self._containers]
            return "Failed" if any(codes) else "Succeeded"
        begun = self._initialized and any("waiting" not in c.state or c.restarts for c in self._containers)
        return "Running" if begun else "Pending"

    def _write_status(self) -> None:
        if self._vanished.is_set():
            return
        status: Object = {
            "phase": self._phase(),
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "hostIP": "127.0.0.1",
            "hostIPs": [{"ip": "127.0.0.1"}],
            "startTime": self._sources.pod["status"].get("startTime") or now(),
            "conditions": self._conditions(),
            "containerStatuses": [container.status() for container in self._containers],
        }
        if self._initial:
            status["initContainerStatuses"] = [container.status() for container in self._initial]
        patch = {"metadata": {"uid": self.uid}, "status": status}
        with contextlib.suppress(Status):
            self.update(self._machine.api.patch("pods", self.namespace, self.name, patch, subresource="status"))

    def _conditions(self) -> list[Object]:
        """A time changes only with the status."""
        before = {c["type"]: c for c in self._sources.pod["status"].get("conditions") or []}
        ready = all(container.ready for container in self._containers) and not self._over
        unready = [container.name for container in self._containers if not container.ready]
        why = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{' '.join(unready)}]"}
        computed: list[tuple[str, bool, Object]] = [
            ("PodScheduled", True, {}),
            ("Initialized", self._initialized, {}),
            ("ContainersReady", ready, {} if ready else why),
            ("Ready", ready, {} if ready else why),
        ]
        conditions = []
        for kind, holds, reason in computed:
            text = str(holds)
            old = before.pop(kind, {})
            since = old["lastTransitionTime"] if old.get("status") == text else now()
            conditions.append({"type": kind, "status": text, "lastTransitionTime": since, **reason})
        return [*conditions, *before.values()]

    def _surroundings(self) -> Surroundings:
        machine = self._machine
        return Surroundings(
            folder=self._folder,
            cache=machine.cache,
            images=machine.images,
            sandbox=machine.sandbox,
            volumes=self._volumes,
            address=self.address,
            api_url=machine.access.url,
            record_event=self._event,
            may_restart=lambda: machine.may_restart(self.namespace, self.name),
        )

    def _event(self, reason: str, message: str, *, warning: bool = False) -> None:
        self._machine.recorder.record(self._sources.pod, reason, message, warning=warning)

    def _token(self, spec: Object) -> str:
        if spec.get("automountServiceAccountToken") is False:
            return ""
        return self._machine.access.service_account_token(self.namespace, spec.get("serviceAccountName") or "default")
