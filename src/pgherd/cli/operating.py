"""``pgherd run``: the operator in the foreground."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from pgherd.api.startup import log_form
from pgherd.cli.invocation import Invocation, run
from pgherd.controllers.configuration import Source, load_configuration
from pgherd.errors import Forbidden, PgherdError
from pgherd.kube.client import connect
from pgherd.logs import set_up
from pgherd.main import Options
from pgherd.main import run as operator

PAUSE = 0.2
USUAL = Path.home() / ".kube/config"


@dataclass(frozen=True)
class Manner:
    """``qps`` and ``burst``: requests per second and at once. ``listen``, ``silence``: as in Options."""

    debug: bool
    qps: float
    burst: int
    listen: str
    silence: float
    flags: frozenset[str]
    """The reference's switches that are on (:mod:`pgherd.api.startup`)."""


def operate(invocation: Invocation, patience: float, manner: Manner) -> None:
    """Run until a signal comes or leadership is lost."""
    set_up(debug=manner.debug, as_json=log_form(os.environ))
    kubeconfig = str(invocation.chosen) if invocation.chosen else None
    if "outofcluster" in manner.flags and not (kubeconfig or os.environ.get("KUBECONFIG") or USUAL.is_file()):
        raise PgherdError("-outofcluster: no kubeconfig is there. Cure: name one with -kubeconfig, or set KUBECONFIG")
    environment = dict(os.environ)
    if invocation.namespace:
        environment.setdefault("OPERATOR_NAMESPACE", invocation.namespace)
    if patience:
        run(_await_configuration(invocation, environment, patience))
    options = Options(
        kubeconfig,
        invocation.context,
        environment,
        manner.qps,
        manner.burst,
        manner.listen,
        manner.silence,
        manner.flags,
    )
    run(operator(options))


async def _await_configuration(invocation: Invocation, environment: dict[str, str], patience: float) -> None:
    """Return when the configuration can be read; raises what stands in the way after ``patience`` seconds.

    For a start beside a control plane that starts at the same time. In a real cluster a pod is started again instead.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while True:
        try:
            kube = await connect(invocation.chosen, invocation.context)
            try:
                source = Source.from_environment(environment, environment.get("OPERATOR_NAMESPACE") or kube.namespace)
                await load_configuration(kube, source)
            finally:
                await kube.close()
        except PgherdError as error:
            if loop.time() > end or isinstance(error, Forbidden):
                raise
            await asyncio.sleep(PAUSE)
        else:
            return
