"""The plain manifests are the chart, and kustomize reads them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from api.scripts import ROOT, script


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


def as_text(one: Any) -> str:
    return json.dumps(one, sort_keys=True)
