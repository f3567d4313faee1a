"""Metrics of running operators, read with Prometheus' own parser."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path
from typing import Any

from pgherd import __version__
from server.conftest import NAMESPACE, RESOURCES, Operator, Scrape, World, until

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs/metrics.md"
SERIES_PER_CLUSTER = 15
"""What an operator with 1,000 clusters can afford (docs/metrics.md)."""
A = {"namespace": NAMESPACE, "postgresql": "acid-a"}


def pod(name: str, role: str, position: int | None) -> dict[str, Any]:
    """A database pod as Patroni annotates it."""
    status = f'{{"conn_url":"postgres://x","state":"running","role":"{role}"'
    status += f',"xlog_location":{position}' if position is not None else ""
    labels = {"application": "spilo", "cluster-name": "acid-a", "spilo-role": "master" if role == "primary" else role}
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": labels,
            "annotations": {"status": status + "}"},
        },
        "spec": {"containers": [{"name": "postgres", "image": "x"}]},
    }


async def ready(operator: Operator) -> Scrape:
    await until(lambda: operator.shows("pgherd_leader", 1), "it leads")
    return await operator.scrape()


async def test_every_family_keeps_the_conventions_and_no_secret_is_told(world: World) -> None:
    world.create_cluster("acid-a")
    async with world.serving() as operator:
        await until(lambda: world.cluster.api.list("statefulsets.apps", NAMESPACE), "the children are made")
        await until(lambda: operator.shows("pgherd_cluster_members_wanted", 2, **A), "the cache shows them")
        seen = await operator.scrape()
        ours = {name: kind for name, kind in seen.types.items() if not name.startswith("process_")}
        assert "process_resident_memory_bytes" in seen.types
        for name, kind in ours.items():
            assert re.fullmatch(r"pgherd(_[a-z]+)+", name), name
            assert seen.help[name].endswith("."), name
            assert kind in ("gauge", "counter", "histogram"), name
            assert ("_seconds" in name) == name.endswith("_seconds"), name
        assert {name.removesuffix("_total") for name, kind in ours.items() if kind == "counter"} == {
            "pgherd_passes",
            "pgherd_steps",
            "pgherd_kubernetes_requests",
        }
        labels = {label for (name, found) in seen.values if name.startswith("pgherd") for label, _ in found}
        of_clusters = {"namespace", "postgresql", "status", "condition", "member"}
        assert labels <= {"version", "outcome", "step", "method", "code", "kind", "le", *of_clusters}
        assert seen.get("pgherd_build_info", version=__version__) == 1
        assert seen.get("pgherd_clusters") == 1
        assert len([one for one in seen.values if ("postgresql", "acid-a") in one[1]]) <= SERIES_PER_CLUSTER
        written = set(re.findall(r"^\| `(pgherd_[a-z_]+)`", DOCUMENTATION.read_text(), re.MULTILINE))
        assert written == {name + "_total" * (kind == "counter") for name, kind in ours.items()}
        secrets = world.cluster.api.list("secrets", NAMESPACE)
        assert secrets
        for secret in secrets:
            for value in secret["data"].values():
                plain = base64.b64decode(value).decode()
                assert plain in ("postgres", "standby", "app") or plain not in seen.text


async def test_the_work_is_counted(world: World) -> None:
    async with world.serving() as operator:
        before = await ready(operator)
        assert before.get("pgherd_passes_total", outcome="changed") == 0
        assert before.get("pgherd_pass_duration_seconds_count") == 0
        world.create_cluster("acid-a")
        await until(lambda: operator.shows("pgherd_cluster_status", 1, status="Creating", **A), "it is being created")
        await until(
            lambda: _counted(operator, "pgherd_passes_total", outcome="unchanged"), "a pass that changed nothing"
        )
        seen = await operator.scrape()
        assert seen.get("pgherd_passes_total", outcome="changed")
        assert seen.get("pgherd_steps_total", step="Apply", outcome="done") == len(_applied(world))
        made = len(world.cluster.api.list("secrets", NAMESPACE))
        assert seen.get("pgherd_steps_total", step="CreateSecret", outcome="done") == made
        assert seen.get("pgherd_kubernetes_requests_total", method="PATCH", code="200")
        passes = sum(seen.values[name, labels] for name, labels in seen.values if name == "pgherd_passes_total")
        counts = [
            (float(dict(labels)["le"]), value)
            for (name, labels), value in seen.values.items()
            if name == "pgherd_pass_duration_seconds_bucket"
        ]
        assert [value for _, value in sorted(counts)] == sorted(value for _, value in counts)
        assert max(counts)[1] == seen.get("pgherd_pass_duration_seconds_count") == passes
        assert seen.get("pgherd_cache_objects", kind="postgresql") == 1
        assert seen.get("pgherd_cache_objects", kind="Secret") == 3


def _applied(world: World) -> list[Any]:
    kinds = ("services", "endpoints", "statefulsets.apps", "poddisruptionbudgets.policy", "serviceaccounts")
    kinds += ("rolebindings.rbac.authorization.k8s.io",)
    return [one for kind in kinds for one in world.cluster.api.list(kind, NAMESPACE)]


async def _counted(operator: Operator, name: str, **labels: str) -> bool:
    return bool((await operator.scrape()).get(name, **labels))


async def test_failures_are_counted_and_what_waits_is_shown(world: World) -> None:
    world.cluster.faults.add("status", verb="patch", resource="services", code=403, times=0)
    world.create_cluster("acid-a")
    async with world.serving() as operator:
        await until(lambda: _counted(operator, "pgherd_passes_total", outcome="failed"), "a pass that failed")
        await until(lambda: operator.shows("pgherd_cluster_condition", 1, condition="Degraded", **A), "it is degraded")
        seen = await operator.scrape()
        assert seen.get("pgherd_steps_total", step="Apply", outcome="failed")
        assert seen.get("pgherd_kubernetes_requests_total", method="PATCH", code="403")
        assert seen.get("pgherd_cluster_steps_pending", **A)
        assert seen.get("pgherd_cluster_last_success_timestamp_seconds", **A) is None
        assert seen.get("pgherd_passes_total", outcome="unexpected") == 0
        world.cluster.faults.clear()
        await until(lambda: operator.shows("pgherd_cluster_condition", 0, condition="Degraded", **A), "it is mended")
        await until(lambda: operator.shows("pgherd_cluster_steps_pending", 0, **A), "nothing is left to do")
        success = (await operator.scrape()).get("pgherd_cluster_last_success_timestamp_seconds", **A)
        assert success is not None
        assert 0 <= time.time() - success < 3600


async def test_a_refused_configuration_shows_until_it_is_mended(world: World) -> None:
    async with world.serving() as operator:
        first = await ready(operator)
        assert first.get("pgherd_configuration_refused") == 0
        loaded = first.get("pgherd_configuration_loaded_timestamp_seconds")
        assert loaded is not None
        world.configure(resync_period="soon")
        await until(lambda: operator.shows("pgherd_configuration_refused", 1), "it is refused")
        assert await operator.shows("pgherd_configuration_loaded_timestamp_seconds", loaded)
        world.configure(resync_period="1h")
        await until(lambda: operator.shows("pgherd_configuration_refused", 0), "it counts")
        again = (await operator.scrape()).get("pgherd_configuration_loaded_timestamp_seconds")
        assert again is not None
        assert again > loaded


async def test_a_cluster_has_series_as_long_as_it_exists(world: World) -> None:
    for name in ("acid-a", "acid-b"):
        world.create_cluster(name)
    world.cluster.api.create("pods", pod("acid-a-0", "primary", 67_108_864))
    world.cluster.api.create("pods", pod("acid-a-1", "replica", 50_331_648))
    world.cluster.api.create("pods", pod("acid-a-2", "replica", None))
    async with world.serving() as operator:
        await until(lambda: operator.shows("pgherd_clusters", 2), "both are known")
        await until(lambda: operator.shows("pgherd_cluster_status", 1, status="Creating", **A), "it has a status")
        seen = await operator.scrape()
        assert seen.get("pgherd_cluster_members", **A) == 3
        assert seen.get("pgherd_cluster_members_ready", **A) == 0
        assert seen.all("pgherd_cluster_replica_lag_bytes") == [{"member": "acid-a-1", **A}]
        assert seen.get("pgherd_cluster_replica_lag_bytes", member="acid-a-1", **A) == 16_777_216
        assert seen.get("pgherd_cluster_generation", **A) == seen.get("pgherd_cluster_observed_generation", **A) == 1
        world.cluster.api.delete(RESOURCES, NAMESPACE, "acid-a")
        await until(lambda: operator.shows("pgherd_clusters", 1), "one is gone")
        left = await operator.scrape()
        assert not [labels for _, labels in left.values if ("postgresql", "acid-a") in labels]
        assert left.get("pgherd_cluster_status", namespace=NAMESPACE, postgresql="acid-b", status="Creating") == 1


async def test_the_clusters_of_another_operator_are_not_ours(world: World) -> None:
    world.create_cluster("acid-a")
    annotation = {"metadata": {"annotations": {"acid.zalan.do/controller": "other"}}}
    world.cluster.api.patch(RESOURCES, NAMESPACE, "acid-a", annotation)
    async with world.serving() as operator:
        await ready(operator)
        await until(lambda: operator.shows("pgherd_cache_objects", 1, kind="postgresql"), "it is known")
        seen = await operator.scrape()
        assert seen.get("pgherd_clusters") == 0
        assert not seen.all("pgherd_cluster_status")
