"""``python -m localkube serve``: control plane and node of one machine, in the foreground.

Signals: SIGTERM and SIGINT end localkube and leave the pods running, to be taken up by the next one; SIGUSR1 first ends
every pod. The kubeconfig is written when the API answers, then ``localkube is ready: URL`` is said on standard output.
Without ``--config`` it is an API server alone: no pods run, no controllers work.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

import yaml

from localkube.cluster import Cluster
from localkube.node.addresses import AddressesError
from localkube.node.agent import Agent, NodeSettings
from localkube.node.images import ImageConfigError, Images
from localkube.node.sandbox import SandboxError
from localkube.runners import equip

log = logging.getLogger("localkube")


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localkube", description=__doc__)
    serve = parser.add_subparsers(dest="command", required=True).add_parser("serve", help="run until a signal comes")
    serve.add_argument("--home", type=Path, required=True, help="folder of the objects, pods and claims")
    serve.add_argument("--cache", type=Path, help="folder of downloaded packages; default: HOME/cache")
    serve.add_argument("--config", type=Path, help="which images this machine can run (YAML)")
    serve.add_argument("--network", default="127.64.0.0/16", help="range of loopback addresses for pods")
    serve.add_argument("--address", default="127.0.0.1", help="loopback address of the API server")
    serve.add_argument("--port", type=int, default=6443, help="port of the API server")
    serve.add_argument("--kubeconfig", type=Path, help="file to write; default: HOME/kubeconfig")
    serve.add_argument(
        "--audit-log", type=Path, help="file to append to: who asked for what, as kube-apiserver logs it"
    )
    serve.add_argument("--test-faults", action="store_true", help="open the endpoint for scripted misbehaviour")
    return parser.parse_args(words)


def _agent(cluster: Cluster, arguments: argparse.Namespace) -> Agent:
    images = Images.from_config(yaml.safe_load(arguments.config.read_text()) or {})
    cache = arguments.cache or arguments.home / "cache"
    return equip(cluster, NodeSettings(arguments.home, cache, images, arguments.network))


async def serve(arguments: argparse.Namespace) -> None:
    """Run until a signal comes.

    :raises OSError: the address is taken
    """
    cluster = Cluster(
        arguments.home, arguments.address, arguments.port, faults=arguments.test_faults, audit=arguments.audit_log
    )
    agent = _agent(cluster, arguments) if arguments.config else None
    stopping, draining = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    def drain() -> None:
        draining.set()
        stopping.set()

    loop.add_signal_handler(signal.SIGUSR1, drain)
    await cluster.start()
    cluster.write_kubeconfig(arguments.kubeconfig or arguments.home / "kubeconfig")
    log.info("serving %s, pods in %s", cluster.base_url, arguments.network if agent else "no network")
    sys.stdout.write(f"localkube is ready: {cluster.base_url}\n")
    sys.stdout.flush()
    await stopping.wait()
    if draining.is_set() and agent is not None:
        await agent.drain()
    await cluster.stop()


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s %(message)s")
    arguments = _arguments(sys.argv[1:])
    try:
        asyncio.run(serve(arguments))
    except (OSError, ValueError, ImageConfigError, AddressesError, SandboxError) as error:
        sys.stderr.write(f"localkube: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
