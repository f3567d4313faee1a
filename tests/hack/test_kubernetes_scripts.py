"""The pure parts of hack/kubernetes and images/."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The scripts import each other by plain names, and serve one folder: for the time of a test only."""
    before = set(sys.modules)
    monkeypatch.setenv("PGHERD_KUBERNETES_HOME", str(tmp_path))
    monkeypatch.syspath_prepend(str(ROOT / "hack/kubernetes"))
    yield
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).parent == ROOT / "hack/kubernetes":
            del sys.modules[name]


def requirements() -> ModuleType:
    spec = importlib.util.spec_from_file_location("requirements", ROOT / "images/requirements.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("image", ["operator", "postgres", "sbom"])
def test_the_images_install_what_is_locked(image: str) -> None:
    assert (ROOT / "images" / image / "requirements.txt").read_text() == requirements().text(image)


@pytest.mark.usefixtures("scripts")
def test_no_two_nodes_share_an_address_a_control_group_or_a_folder() -> None:
    machines, layout = importlib.import_module("machines"), importlib.import_module("layout")
    written = []
    for node in layout.NODES:
        machines.configure(node)
        written.append({path.name: path.read_text() for path in node.folder.rglob("*.*") if path.is_file()})
    kubelets = [yaml.safe_load(files["kubelet.yaml"]) for files in written]
    for key in ("address", "cgroupRoot", "podLogsDir", "volumePluginDir"):
        assert len({one[key] for one in kubelets}) == len(layout.NODES)
    for name in ("containerd.toml", "10-pgherd.conflist", "proxy.yaml"):
        assert len({files[name] for files in written}) == len(layout.NODES)


@pytest.mark.usefixtures("scripts")
def test_the_control_plane_knows_the_way_to_every_node() -> None:
    machines, layout = importlib.import_module("machines"), importlib.import_module("layout")
    machines.configure(layout.CONTROL_PLANE)
    network = (layout.CONTROL_PLANE.folder / "network").read_text()
    for node in layout.NODES:
        assert f"ip route add {node.pods} via {node.address}\n" in network
        assert f"nexthop via {node.address}" in network


@pytest.mark.usefixtures("scripts")
def test_two_homes_are_two_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = importlib.import_module("layout")
    monkeypatch.setenv("PGHERD_KUBERNETES_HOME", str(layout.HOME / "other"))
    before = layout.CGROUPS
    after = importlib.reload(layout).CGROUPS
    assert before != after


@pytest.mark.usefixtures("scripts")
def test_binaries_named_by_the_environment_must_all_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binaries = importlib.import_module("binaries")
    monkeypatch.setenv("KUBERNETES_BIN", str(tmp_path))
    for name in binaries.NAMES[1:]:
        (tmp_path / name).touch(mode=0o755)
    with pytest.raises(Exception, match=f"KUBERNETES_BIN={tmp_path} has no {binaries.NAMES[0]}"):
        binaries.find()
    (tmp_path / binaries.NAMES[0]).touch(mode=0o755)
    assert binaries.find() == tmp_path


@pytest.mark.usefixtures("scripts")
def test_every_binary_has_a_go_module_in_the_checkout_that_it_is_built_from() -> None:
    binaries = importlib.import_module("binaries")
    modules = ROOT / "hack/kubernetes/modules"
    written = (modules / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{binaries.VERSION} " in written
    for name in set(binaries.NAMES) - {"coredns"}:
        assert f"\t{binaries.package(name)}\n" in written
    tracked = [
        "git",
        "ls-files",
        "--error-unmatch",
        "go.mod",
        "go.sum",
        "coredns/go.mod",
        "coredns/go.sum",
        "coredns/main.go",
    ]
    subprocess.run(tracked, cwd=modules, check=True, capture_output=True)


@pytest.mark.usefixtures("scripts")
def test_a_claim_becomes_a_volume_of_the_chosen_node(tmp_path: Path) -> None:
    volumes = importlib.import_module("volumes")
    claim = {
        "metadata": {"namespace": "default", "name": "data", "uid": "1"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    made = volumes.volume(claim, "pvc-1", "node-2")
    assert made["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "claimRef": {
            "kind": "PersistentVolumeClaim",
            "apiVersion": "v1",
            "namespace": "default",
            "name": "data",
            "uid": "1",
        },
        "local": {"path": f"{tmp_path}/node-2/volumes/pvc-1"},
        "nodeAffinity": {
            "required": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-2"]}]}
                ]
            }
        },
        "persistentVolumeReclaimPolicy": "Delete",
        "storageClassName": "local",
        "volumeMode": "Filesystem",
    }


@pytest.mark.usefixtures("scripts")
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"cgroup.procs": "1\n"}, ""),
        ({"cgroup.procs": "", "cgroup.type": "domain\n"}, ""),
        ({"cgroup.procs": "1\n", "cgroup.type": "domain\n"}, "Cure: mkdir"),
        ({"cgroup.controllers": "cpu pids\n"}, "no control groups for memory"),
    ],
    ids=["a machine", "a container that made room", "a container", "a controller not handed down"],
)
def test_what_stands_against_control_groups_of_version_2(
    files: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = importlib.import_module("groups")
    monkeypatch.setattr(groups, "ROOT", tmp_path)
    for name, text in {"cgroup.controllers": "cpu memory pids\n", "cgroup.procs": "", **files}.items():
        (tmp_path / name).write_text(text)
    obstacle = groups.obstacle()
    assert said in obstacle if said else not obstacle
