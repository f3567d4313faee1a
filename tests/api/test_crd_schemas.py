"""The CRDs are legal in every supported Kubernetes version, and the packed definitions are the published ones."""

from __future__ import annotations

import json
from typing import Any

import kubernetes_validate
import pytest

from api.scripts import script
from pgherd.api import KUBERNETES_VERSIONS
from pgherd.api.crd import crds


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("crd", crds(), ids=lambda crd: crd["spec"]["names"]["kind"])
def test_strict_schema_of_every_version(crd: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(crd, version, strict=True)


def test_the_strict_schema_can_refuse() -> None:
    broken = json.loads(json.dumps(crds()[0]))
    broken["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["title_"] = "x"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES_VERSIONS[-1], strict=True)


@pytest.mark.parametrize("crd", crds(), ids=lambda crd: crd["spec"]["names"]["kind"])
def test_small_enough_for_client_side_apply(crd: dict[str, Any]) -> None:
    """kubectl apply keeps the whole manifest in an annotation, and annotations end at 256 KiB."""
    assert len(json.dumps(crd)) < 200_000


def test_packed_definitions_are_up_to_date() -> None:
    module = script("kubernetes_definitions")
    assert module.packed() == module.TARGET.read_text(), "run hack/kubernetes_definitions.py"
