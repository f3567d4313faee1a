"""The operator as a process: everything is built here, once, and passed on explicitly.

A standby keeps its caches warm and waits for the Lease; the leader works until it is stopped, or until its leadership
is not certain any more, which ends the process (whoever started it starts it again, as a standby).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pgherd.act.clients import Clients
from pgherd.api.crd import crds
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.controllers.configuration import Source, load_configuration
from pgherd.controllers.live_configuration import LiveConfiguration
from pgherd.controllers.planning import session
from pgherd.controllers.postgresql import Controller
from pgherd.controllers.registration import register
from pgherd.controllers.report import Reporter
from pgherd.facts.children import Postgresql as Resource
from pgherd.facts.key import Key
from pgherd.kube.budget import Budget
from pgherd.kube.caches import Caches, Scope
from pgherd.kube.client import Kube, connect
from pgherd.kube.events import Recorder
from pgherd.kube.fencing import Election, LeaseSettings
from pgherd.kube.optional import installed
from pgherd.kube.queue import Queue, work
from pgherd.kube.resources import CHILDREN, POSTGRESQLS
from pgherd.observe.databases import Databases
from pgherd.observe.named_objects import NamedObjectsReader
from pgherd.observe.observer import Observer
from pgherd.observe.surroundings import Surroundings

logger = logging.getLogger(__name__)

CONTROLLER_ANNOTATION = "acid.zalan.do/controller"
WORKERS_PER_WORKER = 8
"""A worker of the reference is a thread that waits for its clusters; a pass here costs little while it waits."""


@dataclass(frozen=True)
class Options:
    """How this process was started. ``environment`` is the reference's (spec api.md 3.9).

    ``qps`` and ``burst`` limit the requests to the API server (spec api.md 3.8, with higher defaults).
    """

    kubeconfig: str | None = None
    context: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    qps: float = 50.0
    burst: int = 100


async def run(options: Options) -> None:
    """Run until SIGTERM or SIGINT; raises Fenced when leadership is lost, ManifestError for a bad configuration."""
    kube = await connect(options.kubeconfig, options.context, budget=Budget(options.qps, options.burst))
    try:
        with _stopping():
            await _operate(kube, options)
    except asyncio.CancelledError:
        logger.info("stopped")
    finally:
        await kube.close()


async def _operate(kube: Kube, options: Options) -> None:
    environment = options.environment
    namespace = environment.get("OPERATOR_NAMESPACE") or kube.namespace
    definitions = crds()
    source = Source.from_environment(environment, namespace)
    config = await load_configuration(kube, source)
    if config.enable_crd_registration:
        await register(kube, definitions)
    election = Election(kube, LeaseSettings(namespace))
    caches = Caches(config.kubernetes.cluster_name_label, (POSTGRESQLS, *CHILDREN, *await installed(kube)))
    async with session() as http:
        writing = kube.fenced(election.fence)
        recorder = Recorder(writing, election.settings.identity)
        observer = Observer(caches, http, Surroundings(kube), NamedObjectsReader(kube, namespace), kube.learned)
        mine = owned_by(environment.get("CONTROLLER_ID", ""))
        live = LiveConfiguration(source, config)
        controller = replace(assemble(observer, Clients(writing, http), recorder, config, mine), configuration=live)
        scope = Scope(_namespaces(environment, config, namespace), children_selector=caches.label)
        async with asyncio.TaskGroup() as group:
            following = (
                group.create_task(caches.run(kube, controller.on_change, scope)),
                group.create_task(live.follow(kube, controller.look_at_all)),
            )
            await election.run(lambda: _lead(controller, recorder, live))
            for task in following:
                task.cancel()


def assemble(
    observer: Observer,
    clients: Clients,
    recorder: Recorder,
    config: OperatorConfiguration,
    mine: Callable[[Resource], bool],
    queue: Queue[Key] | None = None,
) -> Controller:
    """The operator without its process: what plans, acts and tells."""
    return Controller(
        observer=observer,
        clients=clients,
        databases=Databases(access=config.debug.enable_database_access is not False),
        reporter=Reporter(clients.kube, recorder),
        queue=Queue[Key]() if queue is None else queue,  # an empty one is false
        configuration=lambda: config,
        mine=mine,
    )


async def _lead(controller: Controller, recorder: Recorder, live: LiveConfiguration) -> None:
    await controller.observer.caches.synced()
    logger.info("%d clusters", len(controller.observer.caches.clusters()))
    # What is loaded by now stays: without this each full collection would stop everything for a tenth of a second.
    gc.freeze()
    async with asyncio.TaskGroup() as group:
        group.create_task(recorder.run())
        group.create_task(live.tell(controller.clients.kube, recorder))
        group.create_task(_resync(controller))
        group.create_task(work(controller.queue, controller.reconcile, live.current.workers * WORKERS_PER_WORKER))


async def _resync(controller: Controller) -> None:
    """A look at every cluster once in a while: for what no event tells. A new period counts after the present one."""
    while True:
        await asyncio.sleep(controller.configuration().resync_period.total_seconds())
        controller.look_at_all()


def owned_by(controller_id: str) -> _Ownership:
    """Whether a resource is for the operator of this id: absent and empty match (spec lifecycle 1.5)."""
    return _Ownership(controller_id)


@dataclass(frozen=True)
class _Ownership:
    controller_id: str

    def __call__(self, resource: Resource) -> bool:
        return resource.metadata.annotations.get(CONTROLLER_ANNOTATION, "") == self.controller_id


def _namespaces(environment: Mapping[str, str], config: OperatorConfiguration, own: str) -> tuple[str, ...]:
    """Empty means all. Several may be given, separated by commas."""
    wanted = environment.get("WATCHED_NAMESPACE") or config.kubernetes.watched_namespace or own
    return () if wanted == "*" else tuple(name.strip() for name in wanted.split(",") if name.strip())


class _stopping:  # noqa: N801 - reads as a statement
    """SIGTERM and SIGINT cancel the current task while the block runs."""

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, task.cancel)

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
