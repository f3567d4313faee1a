"""The objects that the operator needs, and the first cluster, on a fresh local Kubernetes."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pgherd.api.crd import crds
from pgherd.cli.applying import Manner, apply_file
from pgherd.cli.local.home import Home, Settings, image
from pgherd.cli.local.processes import CONFIGURATION, NAMESPACE, last_line
from pgherd.cli.local.progress import Steps
from pgherd.cli.local.session import local_session
from pgherd.controllers.registration import register
from pgherd.errors import AlreadyExists, LocalError
from pgherd.kube.resources import NAMESPACES, OPERATOR_CONFIGURATIONS, POSTGRESQLS, Resource

CLUSTER_ROLES: Resource[dict[str, Any]] = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", dict, namespaced=False
)
SERVED_WITHIN = 60.0
ALL = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


async def install(home: Home, settings: Settings, manifest: Path | None, steps: Steps) -> None:
    """Make what is missing. ``manifest`` None: no first cluster."""
    with steps.step("Definitions and configuration"):
        await _served(home, settings)
        async with local_session(home) as session:
            kube = session.kube
            await register(kube, crds())
            for resource, wanted in _objects():
                try:
                    await kube.create(resource, wanted)
                except AlreadyExists:
                    continue
    if manifest is None:
        return
    async with local_session(home) as session:
        if not await session.kube.list(POSTGRESQLS):
            with steps.step(f"First cluster from {manifest.name}"):
                await apply_file(session, str(manifest), Manner())


async def _served(home: Home, settings: Settings) -> None:
    """Wait until localkube answers and has written its kubeconfig."""
    loop = asyncio.get_running_loop()
    end = loop.time() + SERVED_WITHIN
    while not (home.kubeconfig.is_file() and await asyncio.to_thread(_answers, settings.server)):
        if loop.time() > end:
            log = home.log("localkube")
            raise LocalError(f"localkube does not answer at {settings.server}: {last_line(log)}. See {log}")
        await asyncio.sleep(0.05)


def _answers(server: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{server}/version", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _objects() -> list[tuple[Resource[Any], Mapping[str, Any]]]:
    """In the order of creation."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    return [
        (NAMESPACES, namespace),
        (CLUSTER_ROLES, pod_role()),
        (OPERATOR_CONFIGURATIONS.whole(), configuration()),
    ]


def pod_role() -> dict[str, Any]:
    """What a database pod may do (spec ui-and-deployment.md 2.4); the operator binds it in each namespace."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "postgres-pod"},
        "rules": [
            {"apiGroups": [""], "resources": ["configmaps", "endpoints"], "verbs": ALL},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "patch", "update", "watch"]},
            {"apiGroups": [""], "resources": ["services"], "verbs": ["create"]},
        ],
    }


def configuration() -> dict[str, Any]:
    """The operator's settings: the reference's defaults, our image, and what is better for a new installation."""
    return {
        "apiVersion": OPERATOR_CONFIGURATIONS.api_version,
        "kind": OPERATOR_CONFIGURATIONS.kind,
        "metadata": {"name": CONFIGURATION, "namespace": NAMESPACE},
        "configuration": {
            "docker_image": image(),
            "kubernetes": {"watched_namespace": "*", "enable_finalizers": True},
            "patroni": {"enable_patroni_failsafe_mode": True},
        },
    }
