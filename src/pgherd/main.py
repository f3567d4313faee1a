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
from pgherd.api.startup import Patience
from pgherd.controllers.configuration import Source, load_configuration
from pgherd.controllers.live_configuration import LiveConfiguration
from pgherd.controllers.planning import session
from pgherd.controllers.postgresql import Controller
from pgherd.controllers.registration import register
from pgherd.controllers.report import Reporter
from pgherd.facts.key import Key
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.kube.budget import Budget
from pgherd.kube.caches import Caches, Scope
from pgherd.kube.client import Kube, connect
from pgherd.kube.events import Recorder
from pgherd.kube.fencing import Election, LeaseSettings, lease_name
from pgherd.kube.nodes import followed
from pgherd.kube.optional import installed
from pgherd.kube.queue import Queue, work
from pgherd.kube.resources import CHILDREN, POSTGRESQLS
from pgherd.observe.databases import Databases
from pgherd.observe.named_objects import NamedObjectsReader
from pgherd.observe.observer import Observer
from pgherd.observe.surroundings import Surroundings
from pgherd.server.exposition import Exposition
from pgherd.server.health import SILENCE, Health
from pgherd.server.listening import Binding, listen, parse_binding, usual_binding
from pgherd.server.pages import Pages

logger = logging.getLogger(__name__)

CONTROLLER_ANNOTATION = "acid.zalan.do/controller"
WORKERS_PER_WORKER = 8
"""A worker of the reference is a thread that waits for its clusters; a pass here costs little while it waits."""


@dataclass(frozen=True)
class Options:
    """How this process was started. ``environment`` is the reference's (spec api.md 3.9).

    ``qps`` and ``burst`` limit the requests to the API server (spec api.md 3.8, with higher defaults). ``listen`` is
    where probes and metrics are served, see :func:`parse_binding`; empty leaves that to :func:`usual_binding`.
    ``silence``: seconds without a sign of life from the API server after which ``/healthz`` fails.
    ``flags``: names of the reference's switches that are on (:mod:`pgherd.api.startup`).
    """

    kubeconfig: str | None = None
    context: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    qps: float = 50.0
    burst: int = 100
    listen: str = ""
    silence: float = SILENCE
    flags: frozenset[str] = frozenset()


async def run(options: Options) -> None:
    """Run until SIGTERM or SIGINT; raises Fenced when leadership is lost, ManifestError for a bad configuration.

    Raises PgherdError at once for a ``listen`` that cannot be read.
    """
    if options.listen:
        parse_binding(options.listen)
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
    patience = Patience.from_environment(environment)
    source = Source.from_environment(environment, namespace, options.flags)
    config = await load_configuration(kube, source)
    if config.enable_crd_registration:
        await register(kube, crds(config.crd_categories), patience)
    controller_id = environment.get("CONTROLLER_ID", "")
    election = Election(kube, LeaseSettings(namespace, lease_name(controller_id)))
    optional = (*await installed(kube), *await followed(kube))
    caches = Caches(config.kubernetes.cluster_name_label, (POSTGRESQLS, *CHILDREN, *optional))
    async with session() as http:
        writing = kube.fenced(election.fence)
        recorder = Recorder(writing, election.settings.identity)
        observer = Observer(caches, http, Surroundings(kube), NamedObjectsReader(kube, namespace), kube.learned)
        mine = owned_by(controller_id)
        live = LiveConfiguration(source, config)
        controller = replace(assemble(observer, Clients(writing, http), recorder, config, mine), configuration=live)
        scope = Scope(_namespaces(environment, config, namespace), children_selector=caches.label)
        health = Health(caches, options.silence)
        pages = Pages(health, Exposition(controller, live, election.fence, health, kube.connection.counts))
        async with asyncio.TaskGroup() as group:
            following = (
                group.create_task(caches.run(kube, controller.on_change, scope)),
                group.create_task(live.follow(kube, controller.look_at_all)),
                group.create_task(_serve(_binding(kube, options, config), pages)),
            )
            await election.run(lambda: _lead(controller, recorder, live))
            for task in following:
                task.cancel()


def _binding(kube: Kube, options: Options, config: OperatorConfiguration) -> Binding | None:
    if options.listen:
        return parse_binding(options.listen)
    return usual_binding(config.logging_rest_api.api_port, in_pod=kube.connection.credentials.in_pod)


async def _serve(binding: Binding | None, pages: Pages) -> None:
    if binding is not None:
        await listen(binding, pages)


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
        group.create_task(controller.observer.named.follow(controller.look_at_all))
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
