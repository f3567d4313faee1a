"""Helm, found as kubectl is: the pinned one from a wheel, else the one on the path."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.scripts import ROOT, script
from kubectl import kubectl_path

__all__ = ["kubectl_path"]

CHART = ROOT / "charts/pgherd"


@dataclass(frozen=True)
class Helm:
    """``helm("lint", chart)``; ``fails=True`` wants a failure. Returns all that it says."""

    binary: Path
    home: Path
    kubeconfig: Path | None = None

    def __call__(self, *words: str, fails: bool = False) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        at = ["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []
        done = subprocess.run(
            [str(self.binary), *words, *at], capture_output=True, text=True, timeout=300, env=environment, check=False
        )
        assert bool(done.returncode) == fails, f"helm {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stderr if fails else done.stdout

    def objects(self, values: dict[str, Any], *words: str) -> list[dict[str, Any]]:
        """What the chart becomes with these values, in the release ``demo`` of namespace ``operators``."""
        rendered = self("template", "demo", str(CHART), "-n", "operators", *self.given(values), *words)
        return [one for one in yaml.safe_load_all(rendered) if one]

    def given(self, values: dict[str, Any]) -> list[str]:
        """Values as words of the command line."""
        return [word for key, value in values.items() for word in ("--set-json", f"{key}={json.dumps(value)}")]


@pytest.fixture(scope="session")
def helm_path() -> Path:
    """Skips where there is none, and says what to do."""
    module = script("helm")
    try:
        found: Path = module.find()
    except module.Missing as reason:
        pytest.skip(str(reason))
    return found


@pytest.fixture(scope="session")
def helm(helm_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Without a cluster."""
    return Helm(helm_path, tmp_path_factory.mktemp("helm"))
