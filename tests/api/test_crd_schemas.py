"""The CRDs are legal in every supported Kubernetes version, and the packed definitions are the published ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.scripts import script
from desired.schemas import schema_errors
from pgherd.api import KUBERNETES_VERSIONS
from pgherd.api.crd import crds


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("crd", crds(), ids=lambda crd: crd["spec"]["names"]["kind"])
def test_strict_schema_of_every_version(crd: dict[str, Any], version: str) -> None:
    assert schema_errors(crd, version) == []


def test_the_strict_schema_can_refuse() -> None:
    broken = json.loads(json.dumps(crds()[0]))
    broken["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["title_"] = "x"
    errors = schema_errors(broken, KUBERNETES_VERSIONS[-1])
    assert len(errors) == 1
    assert "title_" in errors[0]


@pytest.mark.parametrize("crd", crds(), ids=lambda crd: crd["spec"]["names"]["kind"])
def test_small_enough_for_client_side_apply(crd: dict[str, Any]) -> None:
    """kubectl apply keeps the whole manifest in an annotation, and annotations end at 256 KiB."""
    assert len(json.dumps(crd)) < 200_000


def test_packed_definitions_are_up_to_date() -> None:
    module = script("kubernetes_definitions")
    assert module.packed() == module.TARGET.read_text(), "run hack/kubernetes_definitions.py"
