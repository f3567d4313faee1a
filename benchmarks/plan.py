"""From a stored resource to a plan, and from a file to its children: the operator's own work for one cluster.

First part: 1,000 clusters as they are in the operator's caches, each wanted, each complete, in one process; per cluster
the manifest is parsed, the children are built and the plan is made, as in every pass. Two pictures: a cluster that is
as wanted (a resync), and one that does not exist yet. Second part: ``pgherd render`` from a cold start.

Figures are printed as measured and relative to a calibration loop, because machines differ.

    python benchmarks/plan.py [--clusters 1000] [--starts 10]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.api.reading import parse_operator_configuration
from pgherd.controllers.context import build_context
from pgherd.controllers.planning import require_usable
from pgherd.desired.children import desired_children
from pgherd.desired.context import Context
from pgherd.desired.service_account import desired_shared
from pgherd.facts import fingerprint
from pgherd.facts.key import Key
from pgherd.facts.observed import Observed
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.facts.unknown import Unknown
from pgherd.facts.view import View
from pgherd.kube import views
from pgherd.kube.resources import CHILDREN, resource_of
from pgherd.observe.manifest import read_manifest
from pgherd.plan.plan import Plan
from pgherd.plan.planner import plan_cluster
from pgherd.plan.scene import Scene
from pgherd.plan.secrets import without_content
from pgherd.postgres.passwords import draw_password

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPEC: Mapping[str, Any] = {
    "teamId": "acid",
    "numberOfInstances": 2,
    "volume": {"size": "10Gi", "storageClass": "fast"},
    "users": {"app": [], "owner": ["superuser", "createdb"]},
    "databases": {"app": "owner"},
    "postgresql": {"version": "18", "parameters": {"shared_buffers": "32MB", "max_connections": "100"}},
    "patroni": {"ttl": 30, "loop_wait": 10},
    "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "env": [{"name": "COLOUR", "value": "blue"}],
    "tolerations": [{"key": "database", "operator": "Exists", "effect": "NoSchedule"}],
}


def calibration() -> float:
    """Seconds of CPU for a fixed piece of Python work on this machine, now."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        total = 0
        for number in range(2_000_000):
            total += number & 7
        best = min(best, time.process_time() - start)
    return best


def resource(number: int) -> Resource:
    """As an informer holds it."""
    spec = {**SPEC, "volume": {**SPEC["volume"], "size": f"{10 + number}Gi"}}
    body = {
        "metadata": {"name": f"acid-{number}", "namespace": "default", "uid": f"uid-{number}", "generation": 1},
        "spec": spec,
    }
    return views.decode(Resource, msgspec.json.encode(body))


def absent(found: Resource) -> Observed:
    """A cluster of which nothing exists."""
    return Observed(
        key=Key(found.metadata.namespace, found.metadata.name),
        resource=found,
        manifest=None,
        children={one.kind: {} for one in CHILDREN},
        cluster=Unknown("no pod runs"),
    )


def complete(found: Resource, config: OperatorConfiguration) -> Observed:
    """A cluster whose children were applied as wanted, with its pods not made yet."""
    seen = absent(found)
    manifest = read_manifest(found)
    assert isinstance(manifest, Postgresql)
    ctx = build_context(seen, manifest, config, draw_password)
    scene = Scene(seen, config, ctx, NOW)
    children: dict[str, dict[str, View]] = {one.kind: {} for one in CHILDREN}
    for child in desired_children(ctx):
        wanted = scene.statefulset if child["kind"] == "StatefulSet" else child
        children[child["kind"]][child["metadata"]["name"]] = live(wanted)
    known = {one["kind"]: frozenset({one["metadata"]["name"]}) for one in desired_shared(ctx)}
    return replace(seen, children=children, surroundings=known)


def live(manifest: Mapping[str, Any]) -> View:
    """An object as the API server serves it after our apply."""
    secret = manifest["kind"] == "Secret"
    stamped = views.plain(fingerprint.stamped(without_content(dict(manifest)) if secret else manifest))
    manager = {"manager": fingerprint.MANAGER, "operation": "Apply", "fieldsV1": fingerprint.field_set(stamped)}
    identity = {"uid": "uid", "resourceVersion": "1", "generation": 1, "managedFields": [manager]}
    body = {**views.plain(manifest), **stamped, "metadata": {**stamped["metadata"], **identity}}
    if manifest["kind"] == "StatefulSet":
        body["status"] = {"observedGeneration": 1}
    view: View = views.decode(resource_of(manifest["kind"]).view, msgspec.json.encode(body))
    return view


@dataclass(frozen=True)
class Figures:
    """Milliseconds of CPU per cluster."""

    parse: float
    desired: float
    plan: float
    whole: float
    slowest: float

    def __str__(self) -> str:
        return (
            f"median {self.whole:.2f} ms (parse {self.parse:.2f}, context and children {self.desired:.2f}, "
            f"plan {self.plan:.2f}); 99 % below {self.slowest:.2f} ms"
        )


def measure(pictures: list[Observed], config: OperatorConfiguration) -> Figures:
    """Each cluster once, as in a pass. ``desired`` builds all children once more than a pass does, by itself."""
    parts: dict[str, list[float]] = {"parse": [], "desired": [], "plan": [], "whole": []}
    for seen in pictures:
        assert seen.resource is not None
        found = seen.resource
        manifest, parse = timed(lambda found=found: read_manifest(found))  # type: ignore[misc]
        assert isinstance(manifest, Postgresql)
        ctx, context = timed(lambda seen=seen, manifest=manifest: usable_context(seen, manifest, config))  # type: ignore[misc]
        _, children = timed(lambda ctx=ctx: desired_children(ctx))  # type: ignore[misc]
        _, plan = timed(lambda seen=seen, ctx=ctx: made(seen, ctx, config))  # type: ignore[misc]
        for name, value in (
            ("parse", parse),
            ("desired", context + children),
            ("plan", plan),
            ("whole", parse + context + plan),
        ):
            parts[name].append(value * 1000)
    medians = {name: statistics.median(values) for name, values in parts.items()}
    return Figures(**medians, slowest=statistics.quantiles(parts["whole"], n=100)[98])


def usable_context(seen: Observed, manifest: Postgresql, config: OperatorConfiguration) -> Context:
    require_usable(manifest, config, created=seen.statefulset is not None)
    return build_context(seen, manifest, config, draw_password)


def made(seen: Observed, ctx: Context, config: OperatorConfiguration) -> Plan:
    plan = plan_cluster(Scene(seen, config, ctx, NOW))
    assert not plan.faults, plan.faults
    return plan


def work_left(seen: Observed, config: OperatorConfiguration) -> list[str]:
    """What a plan would change."""
    assert seen.resource is not None
    manifest = read_manifest(seen.resource)
    assert isinstance(manifest, Postgresql)
    return [step.describe() for step in made(seen, usable_context(seen, manifest, config), config).effects]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Seconds of CPU, so that what else the machine does counts little."""
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def cold_starts(number: int) -> list[float]:
    """Seconds of CPU of ``pgherd render`` in a process of its own, the interpreter's start included."""
    command = [sys.executable, "-m", "pgherd.cli", "render", "-f", str(ROOT / "examples/minimal.yaml")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = []
    for _ in range(max(number, 1)):
        before = os.times()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        found.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--starts", type=int, default=10)
    wanted = parser.parse_args()
    config = parse_operator_configuration({"configuration": {"kubernetes": {}}})
    unit = calibration()
    print(f"calibration loop: {unit * 1000:.0f} ms")
    resources = [resource(number) for number in range(wanted.clusters)]
    for what, pictures in (
        ("as wanted", [complete(one, config) for one in resources]),
        ("to be made", [absent(one) for one in resources]),
    ):
        found = measure(pictures, config)
        assert what != "as wanted" or not work_left(pictures[0], config), work_left(pictures[0], config)
        print(f"{wanted.clusters} clusters {what}: {found}; {found.whole / 1000 / unit:.4f} calibration loops")
    starts = cold_starts(wanted.starts)
    print(
        f"pgherd render, cold: least {min(starts):.2f} s of CPU, median {statistics.median(starts):.2f} s; "
        f"{min(starts) / unit:.1f} calibration loops"
    )


if __name__ == "__main__":
    main()
