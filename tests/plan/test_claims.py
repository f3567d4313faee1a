"""Volumes grow and never shrink."""

from __future__ import annotations

from typing import Any

import pytest

from plan.worlds import LEADER, REPLICA, lines, plan


def claim(name: str, size: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": {"cluster-name": "acid-demo"}},
        "spec": {"resources": {"requests": {"storage": size}}},
    }


def claims(size: str, *live: str, **around: Any) -> list[str]:
    extra = [claim(f"pgdata-acid-demo-{ordinal}", one) for ordinal, one in enumerate(live)]
    extra.append(claim("scratch", "1Gi"))
    return lines(plan([LEADER, REPLICA], spec={"volume": {"size": size}}, extra=extra, **around), "volumes")


def test_grow() -> None:
    assert claims("6Gi", "5Gi", "6Gi", "5Gi") == [
        "grow from 5Gi to 6Gi on PersistentVolumeClaim/pgdata-acid-demo-0 (spec.volume.size is 6Gi)",
        "grow from 5Gi to 6Gi on PersistentVolumeClaim/pgdata-acid-demo-2 (spec.volume.size is 6Gi)",
    ]


def test_never_shrink() -> None:
    assert claims("4Gi", "5Gi") == [
        "shrink PersistentVolumeClaim/pgdata-acid-demo-0 from 5Gi to 4Gi is held back: "
        "Kubernetes cannot shrink a volume; set spec.volume.size back"
    ]


@pytest.mark.parametrize("size", ["5Gi", "5120Mi", "5500Mi"])
def test_whole_gibibytes_are_compared(size: str) -> None:
    assert claims(size, "5Gi") == []


@pytest.mark.parametrize("mode", ["off", "ebs"])
def test_only_in_the_mode_for_it(mode: str) -> None:
    assert claims("6Gi", "5Gi", options={"storage_resize_mode": mode}) == []


def test_the_precondition_is_the_version_that_was_seen() -> None:
    made = plan([LEADER], spec={"volume": {"size": "6Gi"}}, extra=[claim("pgdata-acid-demo-0", "5Gi")])
    (step,) = [step for step in made.steps if step.subject.startswith("PersistentVolumeClaim")]
    assert step.resource_version == "7"  # type: ignore[attr-defined]
