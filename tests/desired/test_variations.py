"""What each field and option changes: one golden file per variation, and every manifest legal everywhere.

A golden file holds only the difference to the same cluster without the variation, with ``(gone)`` for what vanished, so
that it can be read and judged against the specification.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from desired.contexts import context, manifest
from desired.schemas import VERSIONS, schema_errors
from desired.variations import VARIATIONS, Variation
from golden.files import ROOT, identity
from golden.normalise import normalised
from pgherd.desired.children import desired_children
from pgherd.desired.context import Context
from pgherd.desired.manifest import revealed
from pgherd.desired.service_account import desired_shared

FOLDER = ROOT / "variations"
GONE = "(gone)"


def contexts(variation: Variation) -> tuple[Context, Context]:
    """Return the context without and with the variation."""
    before = context(manifest(**variation.base))
    after = context(manifest(**{**variation.base, **variation.spec}), variation.options, **variation.facts)
    return before, after


def described(ctx: Context) -> dict[str, dict[str, Any]]:
    """Return every object, normalised, and the dynamic configuration that semantic comparison leaves out."""
    children = {identity(child): normalised(child) for child in desired_children(ctx)}
    return {**children, "dcs": dynamic_configuration(ctx)}


def dynamic_configuration(ctx: Context) -> dict[str, Any]:
    [statefulset] = [child for child in desired_children(ctx) if child["kind"] == "StatefulSet"]
    variables = statefulset["spec"]["template"]["spec"]["containers"][0]["env"]
    [text] = [variable["value"] for variable in variables if variable["name"] == "SPILO_CONFIGURATION"]
    configuration: dict[str, Any] = json.loads(text)
    return configuration["bootstrap"]["dcs"]  # type: ignore[no-any-return]


def difference(before: Any, after: Any, key: str = "") -> Any:
    """Return what is new or different in ``after``, in the same shape, and :data:`GONE` for what vanished.

    Members of a list are found by their name, so that an insertion does not move the others. Containers and volumes
    also tell their order when the members changed.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        found = {name: value for name, value in after.items() if name not in before}
        for name, value in before.items():
            if name not in after:
                found[name] = GONE
            elif value != after[name]:
                found[name] = difference(value, after[name], name)
        return found
    if _named(before) and _named(after):
        old, new = ({_name(item): item for item in items} for items in (before, after))
        order = {"order": list(new)} if key in ("containers", "volumes") and list(old) != list(new) else {}
        return {**order, **difference(old, new)}
    return after


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) and _name(item) for item in value)


def _name(item: Mapping[str, Any]) -> str | None:
    """A volume may be mounted more than once, so a mount goes by its path."""
    name: str | None = item.get("mountPath") or item.get("name") or item.get("metadata", {}).get("name")
    return name


@pytest.mark.parametrize("name", VARIATIONS)
def test_difference_is_the_golden_one(name: str) -> None:
    before, after = contexts(VARIATIONS[name])
    expected = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert difference(described(before), described(after)) == (expected or {})


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.yaml")} == set(VARIATIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_legal(version: str) -> None:
    errors = []
    for name, variation in VARIATIONS.items():
        after = contexts(variation)[1]
        for child in (*desired_children(after), *desired_shared(after)):
            errors += [f"{name}: {error}" for error in schema_errors(revealed(child), version)]
    assert errors == []
