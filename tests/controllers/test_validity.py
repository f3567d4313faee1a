"""Manifests that no schema refuses and nobody can use: nothing is planned, and the status says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from desired.contexts import configuration
from pgherd.api.postgresql import Postgresql
from pgherd.controllers.planning import Prospect, prospect
from pgherd.observe.databases import Databases
from pgherd.plan.status import derive_status
from plan.worlds import LEADER, NOW, One, observed

NOBODY = Databases(access=False)
PREFIX = {"enable_team_id_clustername_prefix": True}
SIDECAR = {"sidecars": [{"name": "exporter", "image": "example.org/exporter:1"}]}


async def ahead(*members: One, options: Mapping[str, Any] | None = None, **around: Any) -> Prospect:
    seen = observed(members, **around)
    return await prospect(seen, configuration(**(options or {})), NOBODY, NOW)


def said(found: Prospect) -> tuple[str, str, str]:
    """The word; status and reason of ConfigurationValid; its message."""
    status = derive_status(found.account(()), "2026-03-02T12:00:00Z")
    [one] = [one for one in status["conditions"] if one["type"] == "ConfigurationValid"]
    return status["PostgresClusterStatus"], f"{one['status']} {one['reason']}", one["message"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"users": {"Robert'); --": []}}, "is not a role name; no role of this cluster can be made"),
        ({"users": {"a": ["login", "nologin"]}}, "spec.users.a: has the flags LOGIN and NOLOGIN; keep one of them"),
        ({"initContainers": [{"name": "a"}]}, "spec.initContainers[0].image: is required; name an image"),
        ({"volume": {"size": "1e999Gi"}}, "spec.volume.size: is not an amount that Kubernetes knows"),
    ],
)
async def test_what_cannot_be_used_is_not_begun(spec: dict[str, Any], message: str) -> None:
    found = await ahead(spec=spec, was={}, without="everything")
    assert list(found.plan.steps) == []
    word, validity, told = said(found)
    assert (word, validity) == ("CreateFailed", "False Invalid")
    assert message in told


async def test_a_running_cluster_with_a_bad_manifest_is_left_as_it_is() -> None:
    found = await ahead(
        LEADER,
        spec={"users": {"a": ["login", "nologin"]}, "numberOfInstances": 1},
        was={"numberOfInstances": 1},
        status={"PostgresClusterStatus": "Running", "observedGeneration": 1},
    )
    assert list(found.plan.steps) == []
    assert said(found)[0] in ("UpdateFailed", "SyncFailed")


async def test_all_faults_are_told_at_once() -> None:
    found = await ahead(spec={"users": {"A B": [], "c": ["login", "nologin"]}}, was={}, without="everything")
    told = said(found)[2]
    assert 'spec.users["A B"]' in told
    assert "spec.users.c" in told


async def test_a_name_against_the_rule_is_invalid_and_not_managed() -> None:
    found = await ahead(options=PREFIX, spec={"teamId": "other"}, was={}, without="everything")
    assert list(found.plan.steps) == []
    word, validity, told = said(found)
    assert (word, validity) == ("Invalid", "False Invalid")
    assert "metadata.name: does not begin with the team" in told
    found = await ahead(options=PREFIX, without="everything")
    assert list(found.plan.steps)
    assert said(found)[0] == "Creating"


async def test_sidecars_that_are_switched_off_only_keep_a_new_cluster_from_being_made() -> None:
    off = {"enable_sidecars": False}
    found = await ahead(options=off, spec=SIDECAR, was={}, without="everything")
    assert "spec.sidecars: are switched off by the operator" in said(found)[2]
    one = {"numberOfInstances": 1}
    found = await ahead(LEADER, options=off, spec={**SIDECAR, **one}, was={**SIDECAR, **one})
    assert isinstance(found.observed.manifest, Postgresql)


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        ({"postgresql": {"version": "13"}}, "VersionPastEndOfLife", "is past its end of life"),
        ({"patroni": {"synchronous_mode_strict": True}}, "Warnings", "has no effect without synchronous_mode"),
        ({}, "Valid", ""),
    ],
)
async def test_what_works_and_is_worth_a_word(spec: dict[str, Any], reason: str, message: str) -> None:
    found = await ahead(spec=spec, was={}, without="everything")
    word, validity, told = said(found)
    assert list(found.plan.steps)
    assert (word, validity) == ("Creating", f"True {reason}")
    assert message in told
