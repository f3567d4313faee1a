"""docs/migrate-from-zalando.md on a real API server: there, and back.

The former release is a chart made here, of the objects that the reference's chart has (spec ui-and-deployment.md 2.1,
2.4); the cluster is a worked example of the specification, written as the reference writes it.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.conftest import CHART, Helm
from chart.servers import Audited, audited, operator
from golden.files import load, objects
from kubectl import Kubectl
from kubeservers import eventually
from pgherd.cli.reference_values import DEFAULTS, SECTIONS
from pgherd.kube.resources import resource_of

pytestmark = pytest.mark.xdist_group("migration")

RELEASE = "postgres-operator"
OPERATORS, CLUSTERS, NAME = "db", "pg-demo", "acid-demo"
OLD_VALUES: dict[str, Any] = {"configGeneral": {"workers": 4}, "configLoggingRestApi": {"api_port": 18080}}
RBAC = "rbac.authorization.k8s.io"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{OPERATORS}/deployments/{RELEASE}"
CONFIGURATION = f"/apis/acid.zalan.do/v1/namespaces/{OPERATORS}/operatorconfigurations/{RELEASE}"
STATEFULSET = f"/apis/apps/v1/namespaces/{CLUSTERS}/statefulsets/{NAME}"


def former_configuration() -> dict[str, Any]:
    merged = {group: {**DEFAULTS[group], **OLD_VALUES.get(group, {})} for group in DEFAULTS}
    sections = {SECTIONS[group]: values for group, values in merged.items() if SECTIONS[group]}
    return {**merged["configGeneral"], **sections}


def former_chart(folder: Path) -> Path:
    """Operator and configuration, with the names and labels that the reference's chart gives them."""
    labels = {"app.kubernetes.io/name": RELEASE, "app.kubernetes.io/instance": RELEASE}
    pod = {
        "serviceAccountName": RELEASE,
        "containers": [{"name": RELEASE, "image": "ghcr.io/zalando/postgres-operator"}],
    }
    account = {"kind": "ServiceAccount", "name": RELEASE, "namespace": OPERATORS}
    parts: list[tuple[str, str, str, dict[str, Any]]] = [
        ("v1", "ServiceAccount", RELEASE, {}),
        (f"{RBAC}/v1", "ClusterRole", RELEASE, {"rules": []}),
        (f"{RBAC}/v1", "ClusterRole", "postgres-pod", {"rules": []}),
        (
            f"{RBAC}/v1",
            "ClusterRoleBinding",
            RELEASE,
            {"roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": RELEASE}, "subjects": [account]},
        ),
        ("scheduling.k8s.io/v1", "PriorityClass", f"{RELEASE}-pod", {"value": 1000000}),
        ("acid.zalan.do/v1", "OperatorConfiguration", RELEASE, {"configuration": former_configuration()}),
        ("v1", "Service", RELEASE, {"spec": {"ports": [{"port": 8080}], "selector": labels}}),
        (
            "apps/v1",
            "Deployment",
            RELEASE,
            {
                "spec": {
                    "replicas": 1,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": pod},
                }
            },
        ),
    ]
    chart = folder / RELEASE
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {RELEASE}\nversion: 2.0.1\n")
    (chart / "crds").symlink_to(CHART / "crds")
    for number, (version, kind, name, content) in enumerate(parts):
        manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels}, **content}
        (chart / "templates" / f"{number}.yaml").write_text(yaml.safe_dump(manifest))
    return chart


def in_place_of(thing: Any, old: str, new: str) -> Any:
    text = json.dumps(thing).replace(old, new)
    return json.loads(text)


def cluster_of_the_reference(at: Audited) -> None:
    """The resource, its children under the reference's field manager, and the pods of its StatefulSet."""
    at.server.call("POST", "/api/v1/namespaces", {"metadata": {"name": CLUSTERS}})
    resource = load("a", "input.yaml")
    uid = resource["metadata"].pop("uid")
    made = at.server.call("POST", f"/apis/acid.zalan.do/v1/namespaces/{CLUSTERS}/postgresqls", resource)
    assert made.code == 201, made
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "postgres-pod"}
    place = {"metadata": {"name": "postgres-pod", "namespace": CLUSTERS}}
    children = [
        {"apiVersion": "v1", "kind": "ServiceAccount", **place},
        {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "roleRef": reference, **place},
        *(in_place_of(one, uid, made.body["metadata"]["uid"]) for one in objects("a").values()),
    ]
    for child in children:
        create(at, child, "postgres-operator")
    statefulset = next(one for one in children if one["kind"] == "StatefulSet")
    for ordinal in range(statefulset["spec"]["replicas"]):
        template = copy.deepcopy(statefulset["spec"]["template"])
        claim = {"name": "pgdata", "persistentVolumeClaim": {"claimName": f"pgdata-{NAME}-{ordinal}"}}
        template["spec"]["volumes"] = [*(template["spec"].get("volumes") or []), claim]
        template["metadata"] |= {"name": f"{NAME}-{ordinal}", "namespace": CLUSTERS}
        create(at, {"apiVersion": "v1", "kind": "Pod", **template}, "kube-controller-manager")


def create(at: Audited, manifest: dict[str, Any], manager: str) -> None:
    path = resource_of(manifest["kind"]).path(CLUSTERS)
    answer = at.server.call("POST", f"{path}?fieldManager={manager}", manifest)
    assert answer.code == 201, answer


def pods(at: Audited) -> dict[str, Any]:
    found = at.server.call("GET", f"/api/v1/namespaces/{CLUSTERS}/pods").body["items"]
    return {one["metadata"]["name"]: (one["metadata"]["uid"], one["spec"]) for one in found}


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory, helm_path: Path) -> Iterator[Audited]:
    with audited(tmp_path_factory.mktemp("kubernetes")) as server:
        yield server


def test_there_and_back(at: Audited, helm_path: Path, kubectl_path: Path, tmp_path: Path) -> None:
    helm = Helm(helm_path, tmp_path, at.server.kubeconfig)
    kubectl = Kubectl(kubectl_path, at.server.kubeconfig, tmp_path, OPERATORS)

    def pgherd(*words: str) -> str:
        environment = {"KUBECONFIG": str(at.server.kubeconfig), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        command = [sys.executable, "-m", "pgherd.cli", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    old = tmp_path / "old-values.yaml"
    old.write_text(yaml.safe_dump(OLD_VALUES))
    chart = former_chart(tmp_path / "former")
    helm("install", RELEASE, str(chart), "-n", OPERATORS, "--create-namespace", "-f", str(old))
    cluster_of_the_reference(at)
    before = pods(at)
    former = at.server.call("GET", CONFIGURATION).body["configuration"]

    # There.
    values = tmp_path / "new-values.yaml"
    values.write_text(pgherd("helm-values", "-f", str(old)))
    kubectl("scale", "deployment", RELEASE, "--replicas=0")
    words = ("plan", NAME, "-n", CLUSTERS, "--configuration", f"{OPERATORS}/{RELEASE}", "-o", "json")
    steps = steps_of(pgherd(*words))
    assert [one["step"].split()[0] for one in steps] == ["adopt"], steps
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CHART / "crds"))
    helm("upgrade", RELEASE, str(CHART), "-n", OPERATORS, "-f", str(values))
    deployment = at.server.call("GET", DEPLOYMENT).body
    assert deployment["spec"]["replicas"] == 2
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    config = at.account_kubeconfig(tmp_path, OPERATORS, RELEASE)
    with operator(container, OPERATORS, config, tmp_path / "operator.log"):
        eventually(lambda: "pgherd.io/applied" in annotations(at), "the cluster is adopted")
        eventually(lambda: not steps_of(pgherd(*words)), "there is nothing left to do")
    assert pods(at) == before
    refused = at.used(f"{OPERATORS}:{RELEASE}").refusals
    assert not refused

    # And back.
    kubectl("scale", "deployment", RELEASE, "--replicas=0")
    helm("rollback", RELEASE, "1", "-n", OPERATORS)
    deployment = at.server.call("GET", DEPLOYMENT).body
    assert deployment["spec"]["replicas"] == 1
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith("ghcr.io/zalando/")
    assert at.server.call("GET", CONFIGURATION).body["configuration"] == former
    assert at.server.call("GET", f"/apis/{RBAC}/v1/clusterroles/postgres-pod").code == 200
    assert at.server.call("GET", f"/apis/policy/v1/namespaces/{OPERATORS}/poddisruptionbudgets").body["items"] == []
    assert pods(at) == before


FORMER_CONFIG_MAP = {
    "watched_namespace": "*",
    "kubernetes_use_configmaps": "false",
    "enable_spilo_wal_path_compat": "true",
    "api_port": "18081",
}


def test_beside_plain_manifests(at: Audited, helm_path: Path, tmp_path: Path) -> None:
    """A ConfigMap and a ClusterRole that nobody's release has; the former operator is scaled to nothing."""
    helm = Helm(helm_path, tmp_path, at.server.kubeconfig)
    at.server.call("POST", "/api/v1/namespaces", {"metadata": {"name": "plain"}})
    settings = {"metadata": {"name": RELEASE}, "data": FORMER_CONFIG_MAP}
    at.server.call("POST", "/api/v1/namespaces/plain/configmaps", settings)
    role = f"/apis/{RBAC}/v1/clusterroles"
    at.server.call("DELETE", f"{role}/postgres-pod")
    answer = at.server.call("POST", role, {"metadata": {"name": "postgres-pod"}, "rules": []})
    assert answer.code == 201, answer
    for crd in sorted((CHART / "crds").glob("*.yaml")):
        at.server.call(
            "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", yaml.safe_load(crd.read_text())
        )
    words = ["--set", f"existingConfiguration={RELEASE}", "--set", "configTarget=ConfigMap"]
    words += ["--set", "configuration.kubernetes_use_configmaps=false", "--set", "podPriorityClass.create=false"]
    forced = [] if helm("version", "--template", "{{.Version}}").startswith("v3") else ["--force-conflicts"]
    helm("install", "pgherd", str(CHART), "-n", "plain", "--take-ownership", *forced, *words)
    assert at.server.call("GET", f"{role}/postgres-pod").body["rules"]
    deployment = at.server.call("GET", "/apis/apps/v1/namespaces/plain/deployments/pgherd").body
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    config = at.account_kubeconfig(tmp_path, "plain", "pgherd")
    log = tmp_path / "operator.log"
    with operator(container, "plain", config, log):
        eventually(lambda: "leads" in log.read_text(), "the operator leads")
    settings = at.server.call("GET", f"/api/v1/namespaces/plain/configmaps/{RELEASE}").body
    assert settings["data"] == FORMER_CONFIG_MAP
    assert not at.used("plain:pgherd").refusals
    helm("uninstall", "pgherd", "-n", "plain")
    assert at.server.call("GET", f"{role}/postgres-pod").code == 200
    assert at.server.call("GET", f"/api/v1/namespaces/plain/configmaps/{RELEASE}").code == 200


def annotations(at: Audited) -> dict[str, str]:
    found: dict[str, str] = at.server.call("GET", STATEFULSET).body["metadata"].get("annotations", {})
    return found


def steps_of(answer: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer)["steps"]
    return found
