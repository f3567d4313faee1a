"""Which keys of Patroni's dynamic configuration are patched (spec objects.md 3.4). Expectations are written by hand."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.contexts import context, manifest
from instance.environments import A, machine
from pgherd.desired.dynamic_configuration import Keys, configuration_patch, managed_keys, standby_cluster
from pgherd.desired.image_defaults import IMAGE_PARAMETERS, IMAGE_SETTINGS
from pgherd_instance.configuration import configure
from pgherd_instance.environment import parse

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


def test_synchronous_mode_that_the_manifest_does_not_mention_is_somebody_elses() -> None:
    live = {**FRESH, "synchronous_mode": "quorum", "synchronous_mode_strict": True, "synchronous_node_count": 3}
    assert patch({}, live) == {}
    assert patch({"patroni": {"synchronous_mode": True}}, live) == {}
    assert patch({"patroni": {"synchronous_mode": False}}, live) == {"synchronous_mode": False}


SETTINGS = frozenset({"synchronous_mode", "synchronous_mode_strict", "synchronous_node_count", "ttl", "pg_hba"})


def test_a_setting_that_left_the_manifest_goes_back_to_where_it_was() -> None:
    live = {
        **FRESH,
        "synchronous_mode": True,
        "synchronous_node_count": 3,
        "ttl": 99,
        "pg_hba": ["local all all trust"],
    }
    expected = {"synchronous_mode": None, "synchronous_node_count": None, "ttl": 30, "pg_hba": None}
    assert patch({}, live, dropped=Keys(settings=SETTINGS)) == expected
    assert patch({}, applied(live, expected), dropped=Keys(settings=SETTINGS)) == {}
    by_hand = {**FRESH, "synchronous_mode": "quorum"}
    assert patch({}, by_hand, dropped=Keys(settings=SETTINGS)) == {}, "no manifest can say that"


@pytest.mark.parametrize(("live", "expected"), [(0, {}), (1, {}), (3, {"synchronous_node_count": None})])
def test_a_dropped_node_count_means_patroni_s_default(live: int, expected: dict[str, Any]) -> None:
    found = patch({}, {**FRESH, "synchronous_node_count": live}, dropped=Keys(settings=SETTINGS))
    assert found == expected


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
    assert patch({}, live, dropped=Keys(parameters=frozenset({"work_mem", "gone_already"}))) == expected
    kept = patch(parameters(work_mem="8MB"), live, dropped=Keys(parameters=frozenset({"work_mem"})))
    assert kept == {}


def test_a_dropped_parameter_goes_back_to_what_the_image_began_with() -> None:
    """Removing ``archive_mode: "off"`` from a manifest must not leave a cluster without an archive."""
    live = {**FRESH, "postgresql": {"parameters": {"archive_mode": "off", "work_mem": "8MB"}}}
    dropped = Keys(parameters=frozenset({"archive_mode", "work_mem"}))
    expected = {"postgresql": {"parameters": {"archive_mode": "on", "work_mem": None}}}
    assert patch({}, live, dropped=dropped) == expected
    assert patch({}, applied(live, expected), dropped=dropped) == {}


def test_the_image_s_defaults_are_the_image_s() -> None:
    began = configure(parse(A), machine()).patroni["bootstrap"]["dcs"]
    assert {key: began[key] for key in IMAGE_SETTINGS} == IMAGE_SETTINGS
    parameters = dict(began["postgresql"]["parameters"])
    del parameters["max_connections"]
    assert parameters == IMAGE_PARAMETERS


def test_which_keys_the_manifest_has_a_say_in() -> None:
    spec = {
        "patroni": {"ttl": 40, "loop_wait": 0, "synchronous_mode": False, "pg_hba": ["x"], "slots": {"cdc": SLOT}},
        **parameters(work_mem="1MB", shared_buffers="1GB"),
    }
    assert managed_keys(context(manifest(**spec))) == Keys(
        settings=frozenset({"ttl", "synchronous_mode", "pg_hba"}),
        slots=frozenset({"cdc"}),
        parameters=frozenset({"work_mem"}),
    )
    assert managed_keys(context(manifest())) == Keys()


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
    assert patch({}, live, dropped=Keys(slots=frozenset({"ours", "never_made"}))) == {"slots": {"ours": None}}


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
