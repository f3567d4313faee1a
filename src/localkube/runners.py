"""What runs on a cluster: the node, the service proxy and the controllers, made one with it by :func:`equip`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from localkube.cluster import Cluster
from localkube.controllers import claims, endpoints, garbage, namespaces, statefulset
from localkube.node.agent import Agent, NodeSettings
from localkube.node.proxy import ServiceProxy

TOKEN_SECONDS = 10 * 365 * 24 * 3600
"""Patroni reads its kubeconfig once, when it starts, so a pod's token must outlast the pod."""


@dataclass(frozen=True)
class ClusterAccess:
    cluster: Cluster

    @property
    def url(self) -> str:
        return self.cluster.base_url

    def service_account_token(self, namespace: str, name: str) -> str:
        return self.cluster.accounts.issue(namespace, name, TOKEN_SECONDS)

    def restart_held(self, namespace: str, pod: str) -> bool:
        return self.cluster.faults.restart_held(namespace, pod)


def equip(cluster: Cluster, settings: NodeSettings) -> Agent:
    """To be called before ``cluster.start()``; the agent's ``drain`` ends all pods before ``cluster.stop()``."""
    agent = Agent(settings, ClusterAccess(cluster))
    cluster.node = agent
    cluster.runners = (
        agent.run,
        ServiceProxy().run,
        statefulset.run,
        endpoints.run,
        partial(claims.run, home=settings.home),
        garbage.run,
        namespaces.run,
    )
    return agent
