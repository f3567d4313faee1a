"""Any input for the `postgresql` resource: a model or named faults, never anything else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.manifests import minimal
from api.mutations import JSON, KEYS, LEAVES, Place, faults, mutations, valid_specs
from pgherd.api import Postgresql, parse_postgresql, schema_faults


@pytest.mark.parametrize("at", LEAVES, ids=lambda at: ".".join(map(str, at)))
def test_every_leaf_changed_removed_or_extreme(at: Place) -> None:
    """A fault names the changed place, something above or below it, or the new spelling of a removed one."""
    for document in mutations(at):
        for fault in faults(document):
            assert fault.path.startswith("spec")
            assert fault.problem
            top = str(at[1]) if len(at) > 1 else "spec"
            assert top in fault.path or fault.path == "spec"


@given(JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    faults(document)


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6))
def test_any_json_under_known_keys_is_read_or_refused(spec: dict[str, Any]) -> None:
    for fault in faults(minimal(**spec)):
        assert fault.path.startswith("spec")
        assert str(fault)


@given(valid_specs())
def test_whatever_the_schema_allows_passes_the_model(spec: dict[str, Any]) -> None:
    document = {"metadata": {"name": "a"}, "spec": spec}
    assert schema_faults(document) == []
    if not faults(document):
        assert isinstance(parse_postgresql(document), Postgresql)
