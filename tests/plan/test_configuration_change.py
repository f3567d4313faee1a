"""What a change of each kind of option means for a cluster, written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from desired.contexts import context, manifest
from pgherd.api.duration import parse_duration
from pgherd.plan.configuration_change import Undergoes, consequence

POOLED = {"enableConnectionPooler": True}


def undergone(options: dict[str, Any], spec: dict[str, Any] | None = None, had: dict[str, Any] | None = None) -> Any:
    resource = manifest(**(spec or {}))
    return consequence(context(resource, had), context(resource, options))


@pytest.mark.parametrize(
    ("options", "spec", "undergoes"),
    [
        ({"resync_period": "1h", "workers": 3}, {}, Undergoes.NOTHING),
        ({"docker_image": "other:1"}, {}, Undergoes.ROLLING_UPDATE),
        ({"docker_image": "other:1"}, {"dockerImage": "own:1"}, Undergoes.NOTHING),
        ({"docker_image": "other:1", "enable_lazy_spilo_upgrade": True}, {}, Undergoes.LATER),
        ({"pod_terminate_grace_period": "7m"}, {}, Undergoes.ROLLING_UPDATE),
        ({"enable_master_load_balancer": True}, {}, Undergoes.OBJECTS),
        ({"enable_master_load_balancer": True}, {"enableMasterLoadBalancer": False}, Undergoes.NOTHING),
        ({"enable_patroni_failsafe_mode": True}, {}, Undergoes.RELOAD),
        ({"connection_pooler_image": "pooler:9"}, POOLED, Undergoes.POOLER),
        ({"connection_pooler_image": "pooler:9"}, {}, Undergoes.NOTHING),
        ({"pod_environment_secret": "missing"}, {}, Undergoes.REFUSED),
        ({"pod_security_restricted": True}, {}, Undergoes.ROLLING_UPDATE),
        ({"pod_security_restricted": True}, {"podSecurityRestricted": False}, Undergoes.NOTHING),
        ({"pod_security_restricted": True}, {"spiloRunAsUser": 0}, Undergoes.REFUSED),
        ({"default_cpu_request": "200m"}, {}, Undergoes.ROLLING_UPDATE),
        ({"default_cpu_request": "200m"}, {"resources": {"requests": {"cpu": "300m"}}}, Undergoes.NOTHING),
    ],
)
def test_what_a_cluster_undergoes(options: dict[str, Any], spec: dict[str, Any], undergoes: Undergoes) -> None:
    found = undergone(_typed(options), spec)
    assert found.undergoes is undergoes, found
    assert bool(found.faults) is (undergoes is Undergoes.REFUSED)
    assert bool(found.changes) is (undergoes not in (Undergoes.NOTHING, Undergoes.REFUSED))


def _typed(options: dict[str, Any]) -> dict[str, Any]:
    """Durations of the configuration are typed values here."""
    durations = ("resync_period", "pod_terminate_grace_period")
    return {key: parse_duration(value) if key in durations else value for key, value in options.items()}


def test_changes_name_places_and_no_values() -> None:
    found = undergone({"docker_image": "other:1"})
    assert found.changes == ("StatefulSet/acid-demo: spec.template.spec.containers.postgres.image",)


def test_a_child_that_comes_or_goes_is_said() -> None:
    prefix = {"logical_backup_job_prefix": "dump-"}
    found = undergone(prefix, {"enableLogicalBackup": True})
    assert found.undergoes is Undergoes.OBJECTS
    assert set(found.changes) == {"CronJob/dump-acid-demo: new", "CronJob/logical-backup-acid-demo: removed"}


def test_a_cluster_that_could_not_be_built_before_is_all_new() -> None:
    found = undergone({}, had={"pod_environment_secret": "missing"})
    assert found.undergoes is not Undergoes.REFUSED
    assert "StatefulSet/acid-demo: new" in found.changes


def test_the_same_configuration_is_nothing() -> None:
    found = undergone({})
    assert (found.undergoes, found.changes, found.faults) == (Undergoes.NOTHING, (), ())


def test_a_cluster_that_was_taken_over_is_not_touched_by_the_option_of_restricted_pods() -> None:
    before, after = (context(manifest(), {"pod_security_restricted": on}, taken_over=True) for on in (False, True))
    assert consequence(before, after).undergoes is Undergoes.NOTHING
