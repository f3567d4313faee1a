"""`make install` and `make uninstall` against a real API server. Nothing runs there, so nothing gets ready."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.scripts import ROOT
from chart.servers import Audited, audited

pytestmark = pytest.mark.xdist_group("install-script")

DEPLOYMENT = "/apis/apps/v1/namespaces/pgherd/deployments/pgherd"
POD_ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/postgres-pod"
CLUSTERS = "/apis/acid.zalan.do/v1/namespaces/default/postgresqls"


@dataclass(frozen=True)
class Script:
    """``hack/install.py`` with nothing on its path but what is given."""

    at: Audited
    programs: Path
    home: Path

    def __call__(self, *words: str) -> tuple[int, str]:
        environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(self.home),
            "KUBECONFIG": str(self.at.server.kubeconfig),
            "INSTALL_TIMEOUT": "1s",
        }
        command = [sys.executable, str(ROOT / "hack/install.py"), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def offer(self, name: str, program: Path) -> None:
        (self.programs / name).symlink_to(program)

    def get(self, path: str) -> Any:
        answer = self.at.server.call("GET", path)
        return answer.body if answer.code == 200 else None


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with audited(tmp_path_factory.mktemp("kubernetes")) as server:
        yield server


@pytest.fixture
def script(at: Audited, kubectl_path: Path, tmp_path: Path) -> Iterator[Script]:
    """Uninstalled in the end; the cluster and what pods stand on stay for the next test, as they do for a person."""
    programs = tmp_path / "programs"
    programs.mkdir()
    one = Script(at, programs, tmp_path)
    one.offer("kubectl", kubectl_path)
    yield one
    one("uninstall")


def a_cluster(script: Script) -> None:
    manifest = yaml.safe_load((ROOT / "examples/minimal.yaml").read_text())
    answer = script.at.server.call("POST", CLUSTERS, manifest)
    assert answer.code in (201, 409), answer


def remains(script: Script) -> None:
    assert script.get(DEPLOYMENT) is None
    assert script.get(POD_ROLE) is not None
    assert len(script.get(CLUSTERS)["items"]) == 1


def test_without_helm(script: Script) -> None:
    script("install")
    assert script.get(DEPLOYMENT)["spec"]["replicas"] == 2
    a_cluster(script)
    code, said = script("install", "--set", "replicaCount=3")
    assert code == 1
    assert "values need Helm" in said
    script("install")  # an update
    code, said = script("uninstall")
    assert code == 0, said
    remains(script)


def test_with_helm(script: Script, helm_path: Path) -> None:
    script.offer("helm", helm_path)
    code, said = script("install", "--wait=false", "--set", "replicaCount=3")
    assert code == 0, said
    assert script.get(DEPLOYMENT)["spec"]["replicas"] == 3
    a_cluster(script)
    code, said = script("install", "--wait=false")
    assert code == 0, said
    assert script.get(DEPLOYMENT)["spec"]["replicas"] == 3  # values are kept, as Helm does it
    code, said = script("uninstall")
    assert code == 0, said
    remains(script)


def test_what_was_applied_is_not_given_to_helm(script: Script, helm_path: Path) -> None:
    script("install")
    script.offer("helm", helm_path)
    _, said = script("install")
    assert "+ kubectl apply" in said
    code, said = script("uninstall")
    assert code == 0, said
    assert script.get(DEPLOYMENT) is None


def test_no_cluster(script: Script, tmp_path: Path) -> None:
    environment = {
        "PATH": f"{script.programs}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "KUBECONFIG": str(tmp_path / "no"),
    }
    command = [sys.executable, str(ROOT / "hack/install.py"), "install"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)
    assert done.returncode == 1
    assert "no cluster answers" in done.stderr
    assert os.fspath(tmp_path / "no") in done.stderr
