"""Which keys of Patroni's dynamic configuration are patched (spec objects.md 3.4). Expectations are written by hand."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.contexts import context, manifest
from pgherd.desired.dynamic_configuration import Dropped, configuration_patch, standby_cluster

#: What a fresh cluster of the minimal manifest reports.
FRESH: dict[str, Any] = {
    "ttl": 30,
    "loop_wait": 10,
    "retry_timeout": 10,
    "maximum_lag_on_failover": 33554432,
    "failsafe_mode": False,
    "postgresql": {"use_slots": True, "parameters": {"max_connections": 100, "hot_standby": "on"}},
}


def patch(spec: dict[str, Any], effective: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    options = facts.pop("options", {})
    return configuration_patch(context(manifest(**spec), options), FRESH if effective is None else effective, **facts)


def applied(effective: Any, change: Any) -> Any:
    """Patroni's own rule: a merge in which null removes."""
    if not isinstance(change, dict):
        return change
    result = dict(effective) if isinstance(effective, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = applied(result.get(key), value)
    return result


def parameters(**values: str) -> dict[str, Any]:
    return {"postgresql": {"version": "18", "parameters": values}}


def test_nothing_to_say() -> None:
    assert patch({}) == {}


@pytest.mark.parametrize(
    ("patroni", "expected"),
    [
        ({"ttl": 40, "loop_wait": 10}, {"ttl": 40}),
        ({"ttl": 0, "maximum_lag_on_failover": -1}, {}),
        ({"maximum_lag_on_failover": 16777217}, {"maximum_lag_on_failover": 16777217}),
        ({"synchronous_mode": True}, {"synchronous_mode": True}),
        ({"synchronous_mode": False, "synchronous_mode_strict": True}, {"synchronous_mode_strict": True}),
        ({"synchronous_node_count": 2}, {"synchronous_node_count": 2}),
        ({"failsafe_mode": True}, {"failsafe_mode": True}),
        ({"pg_hba": ["local all all trust"]}, {"pg_hba": ["local all all trust"]}),
        ({"pg_hba": []}, {}),
    ],
)
def test_patroni_settings(patroni: dict[str, Any], expected: dict[str, Any]) -> None:
    assert patch({"patroni": patroni}) == expected


def test_synchronous_mode_that_the_manifest_does_not_want_is_switched_off() -> None:
    live = {**FRESH, "synchronous_mode": True, "synchronous_mode_strict": True}
    assert patch({}, live) == {"synchronous_mode": False, "synchronous_mode_strict": False}


@pytest.mark.parametrize(("live", "expected"), [(0, {}), (1, {}), (3, {"synchronous_node_count": None})])
def test_an_absent_node_count_means_patroni_s_default(live: int, expected: dict[str, Any]) -> None:
    assert patch({}, {**FRESH, "synchronous_node_count": live}) == expected


def test_failsafe_mode_of_the_configuration() -> None:
    assert patch({}, options={"enable_patroni_failsafe_mode": True}) == {"failsafe_mode": True}
    without = {key: value for key, value in FRESH.items() if key != "failsafe_mode"}
    assert patch({}, without) == {"failsafe_mode": False}


def test_only_parameters_of_the_dynamic_configuration_are_compared() -> None:
    wanted = parameters(max_connections="200", shared_buffers="1GB", log_statement="ddl")
    assert patch(wanted) == {"postgresql": {"parameters": {"max_connections": "200", "log_statement": "ddl"}}}


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [
        (100, "100", True),
        (1.0e10, "10000000000", True),
        ("100", "100.0", True),
        (True, "on", True),
        (True, "off", False),
        (False, "off", True),
        ("on", "true", False),
        ("1GB", "1GB", True),
        ("1GB", "1024MB", False),
        (None, "1", False),
    ],
)
def test_parameters_are_compared_by_value(live: Any, wanted: str, same: bool) -> None:
    effective = {**FRESH, "postgresql": {"parameters": {"x": live}}}
    assert patch(parameters(x=wanted), effective) == ({} if same else {"postgresql": {"parameters": {"x": wanted}}})


def test_a_dropped_parameter_is_reset_only_when_it_is_known_to_be_ours() -> None:
    live = {**FRESH, "postgresql": {"parameters": {"work_mem": "8MB"}}}
    assert patch({}, live) == {}
    expected = {"postgresql": {"parameters": {"work_mem": None}}}
    assert patch({}, live, dropped=Dropped(parameters=["work_mem", "gone_already"])) == expected
    kept = patch(parameters(work_mem="8MB"), live, dropped=Dropped(parameters=["work_mem"]))
    assert kept == {}


SLOT = {"type": "logical", "database": "shop", "plugin": "pgoutput"}


def test_slots() -> None:
    spec = {"patroni": {"slots": {"cdc": SLOT}}}
    assert patch(spec) == {"slots": {"cdc": SLOT}}
    assert patch(spec, {**FRESH, "slots": {"cdc": SLOT, "foreign": {"type": "physical"}}}) == {}


def test_a_changed_slot_loses_the_properties_that_are_not_wanted() -> None:
    spec = {"patroni": {"slots": {"cdc": {"type": "physical"}}}}
    expected = {"slots": {"cdc": {"database": None, "plugin": None, "type": "physical"}}}
    assert patch(spec, {**FRESH, "slots": {"cdc": SLOT}}) == expected


def test_a_dropped_slot_is_removed_and_a_foreign_one_never() -> None:
    live = {**FRESH, "slots": {"ours": SLOT, "foreign": SLOT}}
    assert patch({}, live) == {}
    assert patch({}, live, dropped=Dropped(slots=["ours", "never_made"])) == {"slots": {"ours": None}}


def test_streams_need_slots_and_logical_wal() -> None:
    stream = {"applicationId": "my-app", "database": "shop", "tables": {"t": {"eventType": "e"}}}
    assert patch({"streams": [stream]}) == {
        "slots": {"fes_shop_my_app": SLOT},
        "postgresql": {"parameters": {"wal_level": "logical"}},
    }


def test_standby_cluster() -> None:
    assert standby_cluster(context(manifest())) is None
    standby = {"standby_host": "far", "standby_port": "5433"}
    section = standby_cluster(context(manifest(standby=standby)))
    assert section is not None
    assert section.pop("restore_command").endswith('/scripts/restore_command.sh "%f" "%p"')
    assert section == {
        "create_replica_methods": ["bootstrap_standby_with_wale", "basebackup_fast_xlog"],
        "host": "far",
        "port": "5433",
        "primary_slot_name": None,
    }


NAMES = st.sampled_from(["a", "b", "max_connections"])
SLOTS = st.dictionaries(NAMES, st.dictionaries(st.sampled_from(["type", "database", "plugin"]), st.text(max_size=5)))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "ttl": st.integers(-1, 99),
            "synchronous_mode": st.booleans(),
            "synchronous_node_count": st.integers(0, 3),
            "failsafe_mode": st.booleans(),
            "pg_hba": st.lists(st.text(max_size=5), max_size=2),
            "slots": SLOTS,
        },
    ),
    st.dictionaries(NAMES, st.text(max_size=5)),
    SLOTS,
    st.dictionaries(NAMES, st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.none())),
)
def test_a_patch_says_all_at_once(
    patroni: dict[str, Any], wanted: dict[str, str], live_slots: dict[str, Any], live: dict[str, Any]
) -> None:
    """Applying the patch and asking again gives nothing, whatever was there before."""
    effective = {**deepcopy(FRESH), "slots": live_slots, "postgresql": {"parameters": live}}
    spec = {"patroni": patroni, **parameters(**wanted)}
    once = applied(effective, patch(spec, effective))
    assert patch(spec, once) == {}
