"""The node: one task per pod of this machine, taken up again after a restart, and what the API server asks of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import platform
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from localkube.api import Api, Event, Exec, LogOptions, Object, Status
from localkube.controllers.recorder import Recorder, now
from localkube.node import logs, processes, terminal
from localkube.node.addresses import Addresses
from localkube.node.container import StartError
from localkube.node.images import Images
from localkube.node.pod import Access, Machine, Pod
from localkube.node.sandbox import probe

LOG = logging.getLogger(__name__)
RETRY = 2.0
HELD_POLL = 0.1
TAKEOVER = 3.0


@dataclass(frozen=True)
class NodeSettings:
    """``network`` is a range within 127.0.0.0/8; ``user`` runs the pods when localkube is root, empty for a
    choice; without ``namespaces`` no PID namespace is made even where it is allowed."""

    home: Path
    cache: Path
    images: Images
    network: str
    name: str = "localkube"
    user: str = ""
    namespaces: bool = True


class Agent:
    """The ``Node`` protocol of ``localkube.api``; :meth:`run` is a ``Runner``.

    :raises SandboxError: pods cannot run on this machine.
    """

    def __init__(self, settings: NodeSettings, access: Access) -> None:
        self._settings = settings
        self._access = access
        for folder in (settings.home / "pods", settings.cache):
            folder.mkdir(parents=True, exist_ok=True)
        self._sandbox = probe(settings.home, settings.cache, user=settings.user, namespaces=settings.namespaces)
        self.addresses = Addresses(settings.network, settings.home / "addresses.json")
        self._pods: dict[str, Pod] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draining = False

    async def run(self, api: Api) -> None:
        """Until cancelled; the pods' processes live on."""
        settings = self._settings
        machine = Machine(
            name=settings.name,
            home=settings.home,
            cache=settings.cache,
            images=settings.images,
            sandbox=self._sandbox,
            addresses=self.addresses,
            api=api,
            access=self._access,
            recorder=Recorder(api, "kubelet"),
            may_restart=self._may_restart,
        )
        self._register(api)
        await self._end_strangers(api)
        try:
            async for event in api.watch("pods", "secrets", "configmaps"):
                self._on(machine, event)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            self._pods.clear()
            self._tasks.clear()

    async def drain(self, seconds: float = 30.0) -> None:
        """End every pod's processes, with so much time for a clean stop. The objects stay: the next start resumes."""
        self._draining = True
        await asyncio.gather(*(pod.stop(seconds) for pod in self._pods.values()))

    async def logs(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        source = (await self._find(namespace, pod)).container(container)
        restarts = source.restarts
        log = source.log(restarts - 1 if options.previous else restarts)
        if not log.exists():
            if options.previous:
                raise Status(400, "BadRequest", f'previous terminated container "{container}" in pod "{pod}" not found')
            raise Status(
                400, "BadRequest", f'container "{container}" in pod "{pod}" is waiting to start: ContainerCreating'
            )
        over = options.previous

        def ended() -> bool:
            return over or source.restarts != restarts or not source.running

        async for chunk in logs.read(log, options, ended):
            yield chunk

    async def exec(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, tty: bool, stdin: bool
    ) -> Exec:
        running = (await self._find(namespace, pod)).container(container)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(running.adopted.wait(), TAKEOVER)
        try:
            words, environment = running.command_in(command, tty=tty)
        except StartError as error:
            raise Status(400, "BadRequest", str(error)) from None
        if tty:
            return await terminal.start_in_terminal(words, environment, self._sandbox)
        return await terminal.start(words, environment, stdin=stdin)

    def cluster_ip(self, service: Object) -> str:
        meta = service["metadata"]
        return self.addresses.take(
            f"service {meta['namespace']}/{meta['name']}", (service.get("spec") or {}).get("clusterIP") or ""
        )

    def release_ip(self, address: str) -> None:
        self.addresses.release(address)

    async def _find(self, namespace: str, name: str) -> Pod:
        """Right after a start of localkube its pods may not have been taken over yet."""
        for _ in range(int(TAKEOVER / HELD_POLL)):
            for pod in self._pods.values():
                if (pod.namespace, pod.name) == (namespace, name):
                    return pod
            await asyncio.sleep(HELD_POLL)
        raise Status(400, "BadRequest", f'pod "{name}" has not started yet')

    def _on(self, machine: Machine, event: Event) -> None:
        if event.resource != "pods":
            namespace = event.object["metadata"]["namespace"]
            for pod in self._pods.values():
                if pod.namespace == namespace:
                    pod.refresh_volumes()
            return
        obj = event.object
        meta = obj["metadata"]
        uid = meta.get("uid", "")
        if event.type == "DELETED":
            # After a lag of the watch, a deletion is known by name only.
            for pod in self._pods.values():
                if pod.uid == uid or (not uid and (pod.namespace, pod.name) == (meta["namespace"], meta["name"])):
                    pod.vanish()
        elif uid in self._pods:
            self._pods[uid].update(obj)
            self._pods[uid].refresh_volumes()
        elif not obj["spec"].get("nodeName"):
            self._bind(machine, obj)
        elif obj["spec"]["nodeName"] == machine.name and not self._draining:
            self._begin(machine, obj)

    def _begin(self, machine: Machine, obj: Object) -> None:
        pod = Pod(machine, obj)
        earlier = [
            self._tasks[other.uid]
            for other in self._pods.values()
            if (other.namespace, other.name) == (pod.namespace, pod.name)
        ]
        self._pods[pod.uid] = pod
        task = asyncio.create_task(pod.run(earlier[-1] if earlier else None), name=f"pod {pod.namespace}/{pod.name}")
        self._tasks[pod.uid] = task
        task.add_done_callback(lambda done: self._forget(machine, pod, done))

    def _forget(self, machine: Machine, pod: Pod, done: asyncio.Task[None]) -> None:
        if self._pods.get(pod.uid) is pod:
            del self._pods[pod.uid], self._tasks[pod.uid]
        if not done.cancelled() and (error := done.exception()):
            LOG.error("pod %s/%s: begun anew after an error", pod.namespace, pod.name, exc_info=error)
            asyncio.get_running_loop().call_later(RETRY, self._retry, machine, pod)

    def _retry(self, machine: Machine, pod: Pod) -> None:
        with contextlib.suppress(Status):
            obj = machine.api.get("pods", pod.namespace, pod.name)
            if obj["metadata"]["uid"] == pod.uid and pod.uid not in self._pods:
                self._begin(machine, obj)

    def _bind(self, machine: Machine, obj: Object) -> None:
        meta = obj["metadata"]
        try:
            machine.api.patch("pods", meta["namespace"], meta["name"], {"spec": {"nodeName": machine.name}})
        except Status as status:
            if status.code not in (404, 409):
                raise
            return
        message = f"Successfully assigned {meta['namespace']}/{meta['name']} to {machine.name}"
        machine.recorder.record(obj, "Scheduled", message)

    def _register(self, api: Api) -> None:
        memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 1024}Ki"
        amounts = {"cpu": str(os.cpu_count()), "memory": memory, "pods": "1000"}
        status: Object = {
            "capacity": amounts,
            "allocatable": amounts,
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": "localhost"}],
            "nodeInfo": {"kernelVersion": platform.release(), "operatingSystem": "linux", "osImage": "localkube"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": now()}],
        }
        name = self._settings.name
        try:
            before = api.get("nodes", "", name).get("status") or {}
            status["conditions"] = before.get("conditions") or status["conditions"]
        except Status:
            labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
            api.create("nodes", {"metadata": {"name": name, "labels": labels}, "spec": {}})
        api.patch("nodes", "", name, {"status": status}, subresource="status")

    async def _end_strangers(self, api: Api) -> None:
        """Pods that were deleted while localkube was away leave no process and no folder."""
        known = {pod["metadata"]["uid"][:8] for pod in api.list("pods")}
        for folder in (self._settings.home / "pods").iterdir():
            if folder.name not in known:
                await processes.end_pod(folder)
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _may_restart(self, namespace: str, pod: str) -> None:
        while self._draining or self._access.restart_held(namespace, pod):  # noqa: ASYNC110 - a rule has no event
            await asyncio.sleep(HELD_POLL)
