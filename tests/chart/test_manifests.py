"""The plain manifests are the chart, and kustomize reads them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.scripts import ROOT, script
from chart.conftest import CHART, Helm


def test_generated_files_are_up_to_date(helm_path: Path) -> None:
    module = script("manifests")
    for path, text in (module.files() | module.manifests()).items():
        assert path.read_text() == text, "run hack/manifests.py"


def test_kustomize_gives_every_object_once(kubectl_path: Path) -> None:
    folder = ROOT / "manifests"
    done = subprocess.run([kubectl_path, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert set(listed) == {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml", "values.yaml"}
    written = [one for name in listed for one in yaml.safe_load_all((folder / name).read_text())]
    built = list(yaml.safe_load_all(done.stdout))
    assert sorted(map(as_text, built)) == sorted(map(as_text, written))


def test_the_overlay_of_the_documentation(kubectl_path: Path, tmp_path: Path) -> None:
    """docs/install.md, as it is written there."""
    text = (ROOT / "docs/install.md").read_text()
    (overlay,) = re.findall(r"```yaml\n(# kustomization.yaml\n.*?)```", text, re.DOTALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/kustomization.yaml").write_text(overlay)
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    command = [kubectl_path, "kustomize", "--load-restrictor=LoadRestrictionsNone", tmp_path / "mine"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = {one["kind"]: one for one in yaml.safe_load_all(done.stdout)}
    (container,) = built["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith("registry.example/pgherd/operator:")
    assert built["ConfigMap"]["data"]["docker_image"] == "registry.example/pgherd/postgres:0.1.0"
    assert built["ConfigMap"]["data"]["workers"] == "4"
    assert built["ConfigMap"]["data"]["watched_namespace"] == "*"


@pytest.mark.parametrize("page", ["install.md", "migrate-from-zalando.md"])
def test_values_in_the_documentation_are_values(helm: Helm, page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    given = re.findall(r"--set ([\w.]+=[^\s`]+)", text)
    assert given
    helm("template", "pgherd", str(CHART), *[word for one in given for word in ("--set", one)])


def as_text(one: Any) -> str:
    return json.dumps(one, sort_keys=True)
