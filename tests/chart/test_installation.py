"""Install, upgrade, roll back and uninstall on a real API server; and the operator with the rights of the chart only.

There are no controllers and no nodes: pods are made here, where a step of the operator needs one.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.scripts import ROOT
from chart.conftest import CHART, Helm
from chart.servers import Audited, audited, operator
from kubeservers import eventually
from pgherd.api.configmap import parse_configmap
from pgherd.api.crd import operator_configuration_crd
from pgherd.api.options import all_options, value_of
from pgherd.api.reading import parse_operator_configuration
from rights import Right, granted

pytestmark = pytest.mark.xdist_group("chart-server")

NAMESPACE = "operators"
NAME = "demo-pgherd"
POSTGRESQLS = "/apis/acid.zalan.do/v1/namespaces/{}/postgresqls"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CHILDREN = {
    "/api/v1/namespaces/{}/services": {"acid-minimal-cluster", "acid-minimal-cluster-repl"},
    "/apis/apps/v1/namespaces/{}/statefulsets": {"acid-minimal-cluster"},
    "/apis/policy/v1/namespaces/{}/poddisruptionbudgets": {"postgres-acid-minimal-cluster-pdb"},
    "/api/v1/namespaces/{}/serviceaccounts": {"postgres-pod"},
    "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings": {"postgres-pod"},
    "/api/v1/namespaces/{}/secrets": {"postgres.acid-minimal-cluster.credentials.postgresql.acid.zalan.do"},
}
NOT_SEEN_HERE = {
    "delete configmaps": "what Patroni left, after the last pod",
    "delete endpoints": "the same",
    "patch persistentvolumeclaims": "a volume that grows",
    "delete persistentvolumeclaims": "volumes are made by a controller",
    "delete pods": "a rolling update",
    "patch pods": "annotations of the manifest",
    "get pods": "a superuser that cannot log in",
    "get pods/exec": "the same",
    "create pods/exec": "the same, asked for by Kubernetes 1.35",
    "create deployments.apps": "a pooler: after its role is made in the database",
    "get deployments.apps": "the same",
    "patch deployments.apps": "the same",
    "delete deployments.apps": "the same",
    "create customresourcedefinitions.apiextensions.k8s.io": "Helm made them",
    "get events": "an event that was said by a former process",
    "patch events": "an event that comes again",
    "get secrets": "a Secret that was there before its cluster",
}
"""What the chart grants and this test cannot see used, and why."""

WITHOUT_CLUSTER_WIDE_RIGHTS = {
    "get customresourcedefinitions.apiextensions.k8s.io fabriceventstreams.zalando.org": "counts as not there",
    "list nodes": "primaries do not leave nodes that are drained, which is said in the log",
}
"""What an operator with Roles only asks for, is refused, and does without."""


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory, helm_path: Path) -> Iterator[Audited]:
    with audited(tmp_path_factory.mktemp("kubernetes")) as server:
        yield server


@pytest.fixture
def helm(at: Audited, helm_path: Path, tmp_path: Path) -> Iterator[Helm]:
    """With the cluster; nothing is left of a release and its namespaces' objects."""
    one = Helm(helm_path, tmp_path, at.server.kubeconfig)
    yield one
    for release in json.loads(one("list", "-n", NAMESPACE, "-o", "json")):
        one("uninstall", release["name"], "-n", NAMESPACE)


def install(helm: Helm, values: dict[str, Any], *words: str, release: str = "demo") -> None:
    given = helm.given({"configuration.logging_rest_api.api_port": free_port()} | values)
    helm("upgrade", "--install", release, str(CHART), "-n", NAMESPACE, "--create-namespace", *given, *words)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def names(at: Audited, path: str) -> set[str]:
    answer = at.server.call("GET", path)
    assert answer.code == 200, answer
    return {one["metadata"]["name"] for one in answer.body["items"]}


def deployment(at: Audited, name: str = NAME) -> dict[str, Any]:
    found: dict[str, Any] = at.server.call("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}").body
    return found


def create_cluster(at: Audited, namespace: str, controller: str = "") -> None:
    at.server.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    manifest = yaml.safe_load((ROOT / "examples/minimal.yaml").read_text())
    if controller:
        manifest["metadata"]["annotations"] = {"acid.zalan.do/controller": controller}
    answer = at.server.call("POST", POSTGRESQLS.format(namespace), manifest)
    assert answer.code == 201, answer


def has_children(at: Audited, namespace: str) -> bool:
    return all(expected <= names(at, path.format(namespace)) for path, expected in CHILDREN.items())


def status(at: Audited, namespace: str) -> Any:
    found = at.server.call("GET", f"{POSTGRESQLS.format(namespace)}/acid-minimal-cluster").body
    return found.get("status", {}).get("PostgresClusterStatus")


def rights(helm: Helm, values: dict[str, Any]) -> set[Right]:
    """The operator's, by the chart's rules."""
    roles = [one for one in helm.objects(values) if one["metadata"]["name"].startswith(NAME)]
    return {right for one in roles for right in granted(one.get("rules", ()))}


def test_install_upgrade_roll_back_uninstall(at: Audited, helm: Helm, tmp_path: Path) -> None:
    install(helm, {})
    first = deployment(at)
    assert first["spec"]["replicas"] == 2
    eventually(lambda: at.server.call("GET", POSTGRESQLS.format("life")).code == 200, "postgresqls are served")
    config = at.account_kubeconfig(tmp_path, NAMESPACE, NAME)
    (container,) = first["spec"]["template"]["spec"]["containers"]
    with operator(container, NAMESPACE, config, tmp_path / "operator.log"):
        create_cluster(at, "life")
        eventually(lambda: has_children(at, "life"), "the children of the cluster")

    install(helm, {"replicaCount": 3, "configuration.workers": 4})
    configuration = f"/apis/acid.zalan.do/v1/namespaces/{NAMESPACE}/operatorconfigurations/{NAME}"
    second = deployment(at)
    assert second["spec"]["replicas"] == 3
    assert at.server.call("GET", configuration).body["configuration"]["workers"] == 4
    annotation = "checksum/config"
    template = [one["spec"]["template"]["metadata"]["annotations"][annotation] for one in (first, second)]
    assert template[0] != template[1]

    helm("rollback", "demo", "1", "-n", NAMESPACE)
    assert deployment(at)["spec"]["replicas"] == 2
    assert at.server.call("GET", configuration).body["configuration"]["workers"] == 8  # the schema fills it in

    before = {path: names(at, path.format("life")) for path in CHILDREN}
    helm("uninstall", "demo", "-n", NAMESPACE)
    assert names(at, f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments") == set()
    assert names(at, POSTGRESQLS.format("life")) == {"acid-minimal-cluster"}
    assert {path: names(at, path.format("life")) for path in CHILDREN} == before
    assert {"postgresqls.acid.zalan.do", "operatorconfigurations.acid.zalan.do"} <= names(at, CRDS)
    roles = names(at, "/apis/rbac.authorization.k8s.io/v1/clusterroles")
    assert "postgres-pod" in roles
    assert NAME not in roles
    assert f"{NAME}-pod" in names(at, "/apis/scheduling.k8s.io/v1/priorityclasses")

    install(helm, {})  # once more, over what was kept
    assert deployment(at)["spec"]["replicas"] == 2


def test_definitions_that_another_version_wrote_are_left_on_request(at: Audited, helm: Helm) -> None:
    """Helm 4 applies them at an installation although they are there, and refuses over what the operator changed."""
    install(helm, {})
    helm("uninstall", "demo", "-n", NAMESPACE)
    written = operator_configuration_crd()
    other = operator_configuration_crd()
    other["spec"]["versions"][0]["additionalPrinterColumns"] = []
    path = f"{CRDS}/{written['metadata']['name']}"

    def operator_writes(definition: dict[str, Any]) -> None:
        query, kind = "?fieldManager=pgherd&force=true", "application/apply-patch+yaml"
        assert at.server.call("PATCH", path + query, definition, Content_Type=kind).code == 200

    def columns() -> list[Any]:
        found: list[Any] = at.server.call("GET", path).body["spec"]["versions"][0].get("additionalPrinterColumns", [])
        return found

    operator_writes(other)
    install(helm, {}, "--skip-crds")
    assert deployment(at)["spec"]["replicas"] == 2
    assert columns() == []
    operator_writes(written)
    assert columns()


SAME_EFFECT = {
    "kubernetes.oauth_token_secret_name": "only with the Teams API",
    "kubernetes.node_readiness_label_merge": "only with a readiness label",
    "kubernetes.persistent_volume_claim_retention_policy": "nothing said means retain",
    "aws_or_gcp.aws_region": "only with S3",
    "teams_api.team_admin_role": "only with admin roles",
    "scalyr.*": "only with its key",
}
"""Options whose defaults differ between the two forms, and why that changes nothing for what the chart ships."""


def test_both_forms_configure_the_same(at: Audited, helm: Helm) -> None:
    """The defaults of the schema included, which the API server fills in."""
    install(helm, {"configuration.logging_rest_api.api_port": 8080})
    served = at.server.call("GET", f"/apis/acid.zalan.do/v1/namespaces/{NAMESPACE}/operatorconfigurations/{NAME}").body
    crd = parse_operator_configuration(served)
    (one,) = [one for one in helm.objects({"configTarget": "ConfigMap"}) if one["kind"] == "ConfigMap"]
    flat = parse_configmap(one["data"])
    differing = {path for path in all_options() if value_of(crd, path) != value_of(flat, path)}
    assert {path if not path.startswith("scalyr.") else "scalyr.*" for path in differing} <= SAME_EFFECT.keys()


def test_no_right_is_lacking_and_none_is_idle(at: Audited, helm: Helm, tmp_path: Path) -> None:
    environment = f"{NAMESPACE}/environment"
    values = {
        "configuration.kubernetes.enable_finalizers": True,
        "configuration.kubernetes.pod_environment_configmap": environment,
    }
    install(helm, values)
    at.server.call("POST", f"/api/v1/namespaces/{NAMESPACE}/configmaps", {"metadata": {"name": "environment"}})
    before = at.now
    config = at.account_kubeconfig(tmp_path, NAMESPACE, NAME)
    (container,) = deployment(at)["spec"]["template"]["spec"]["containers"]
    log = tmp_path / "operator.log"
    with operator(container, NAMESPACE, config, log):
        live_and_die(at, "rights", {"enableLogicalBackup": True})
    done = at.used(f"{NAMESPACE}:{NAME}")
    assert not at.used(f"{NAMESPACE}:{NAME}", since=before).refusals, log.read_text()
    assert done.lacking(rights(helm, values)) == []
    assert set(done.idle(rights(helm, values))) <= NOT_SEEN_HERE.keys()
    assert '"level": "error"' not in log.read_text()


def live_and_die(at: Audited, namespace: str, more: dict[str, Any]) -> None:
    """A cluster with all its children, and a change, and its end."""
    create_cluster(at, namespace)
    eventually(lambda: has_children(at, namespace), "the children of the cluster")
    eventually(lambda: status(at, namespace) == "Creating", "the status of the cluster")
    cluster = f"{POSTGRESQLS.format(namespace)}/acid-minimal-cluster"
    merge = "application/merge-patch+json"
    at.server.call("PATCH", cluster, {"spec": more}, Content_Type=merge)
    if "enableLogicalBackup" in more:
        jobs = f"/apis/batch/v1/namespaces/{namespace}/cronjobs"
        eventually(lambda: names(at, jobs) == {"logical-backup-acid-minimal-cluster"}, "the backup job")
    at.server.call("DELETE", cluster)
    # The role binding and its account stay: other clusters of the namespace stand on them.
    gone = [path for path in CHILDREN if "serviceaccounts" not in path and "rolebindings" not in path]

    def all_gone() -> bool:
        collect_garbage(at, namespace)
        return not any(names(at, path.format(namespace)) & CHILDREN[path] for path in gone)

    eventually(all_gone, "all children are gone")
    eventually(lambda: not names(at, POSTGRESQLS.format(namespace)), "the resource is gone")


def collect_garbage(at: Audited, namespace: str) -> None:
    """The part of Kubernetes' garbage collector: the StatefulSet was deleted so that its pods may stay behind."""
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
    for one in at.server.call("GET", path).body["items"]:
        if one["metadata"].get("deletionTimestamp"):
            kind = "application/merge-patch+json"
            at.server.call(
                "PATCH", f"{path}/{one['metadata']['name']}", {"metadata": {"finalizers": None}}, Content_Type=kind
            )


def test_roles_alone_are_enough(at: Audited, helm: Helm, tmp_path: Path) -> None:
    """Watching two namespaces needs no right outside of them; a third one is left alone."""
    for namespace in ("one", "two", "three"):
        at.server.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    values = {"configuration.kubernetes.watched_namespace": "one,two"}
    install(helm, values)
    assert NAME not in names(at, "/apis/rbac.authorization.k8s.io/v1/clusterroles")
    before = at.now
    config = at.account_kubeconfig(tmp_path, NAMESPACE, NAME)
    (container,) = deployment(at)["spec"]["template"]["spec"]["containers"]
    log = tmp_path / "operator.log"
    with operator(container, NAMESPACE, config, log):
        create_cluster(at, "three")
        for namespace in ("one", "two"):
            live_and_die(at, namespace, {"numberOfInstances": 1})
        assert not status(at, "three")
    refused = {str(right) for right in at.used(f"{NAMESPACE}:{NAME}", since=before).refusals}
    assert refused == WITHOUT_CLUSTER_WIDE_RIGHTS.keys(), log.read_text()
    at.server.call("DELETE", f"{POSTGRESQLS.format('three')}/acid-minimal-cluster")


def test_registration_without_the_right_is_said_and_no_obstacle(at: Audited, helm: Helm, tmp_path: Path) -> None:
    """A configuration that was taken over asks for it, and the operator has Roles only."""
    for namespace in ("four",):
        at.server.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    data = {"watched_namespace": "four", "enable_crd_registration": "true", "api_port": str(free_port())}
    at.server.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    taken = {"metadata": {"name": "postgres-operator"}, "data": data}
    at.server.call("POST", f"/api/v1/namespaces/{NAMESPACE}/configmaps", taken)
    values = {
        "configuration.kubernetes.watched_namespace": "four",
        "configTarget": "ConfigMap",
        "existingConfiguration": "postgres-operator",
    }
    install(helm, values)
    config = at.account_kubeconfig(tmp_path, NAMESPACE, NAME)
    (container,) = deployment(at)["spec"]["template"]["spec"]["containers"]
    log = tmp_path / "operator.log"
    with operator(container, NAMESPACE, config, log):
        create_cluster(at, "four")
        eventually(lambda: has_children(at, "four"), "the children of the cluster")
    assert "pgherd crd | kubectl apply --server-side -f -" in log.read_text()


def test_two_releases_in_one_namespace_have_each_its_own_clusters(at: Audited, helm: Helm, tmp_path: Path) -> None:
    """The controller's id tells whose a cluster is, and each id has a Lease of its own: both lead at once."""
    values = {"controllerID.create": True}
    install(helm, values)
    taken = helm("install", "other", str(CHART), "-n", NAMESPACE, *helm.given(values), fails=True)
    assert "postgres-pod" in taken  # the role of the database pods is the first one's
    others = {"configuration.kubernetes.pod_service_account_name": "other-pod", "controllerID.name": "The other_one"}
    install(helm, values | others, release="other")
    before = at.now
    with contextlib.ExitStack() as running:
        for name in (NAME, "other-pgherd"):
            (tmp_path / name).mkdir()
            config = at.account_kubeconfig(tmp_path / name, NAMESPACE, name)
            (container,) = deployment(at, name)["spec"]["template"]["spec"]["containers"]
            running.enter_context(operator(container, NAMESPACE, config, tmp_path / name / "log"))
        for namespace, controller in (("five", NAME), ("six", "The other_one")):
            create_cluster(at, namespace, controller)
        eventually(lambda: has_children(at, "five"), "the children of the first one's cluster")
        eventually(lambda: names(at, "/api/v1/namespaces/six/serviceaccounts") >= {"other-pod"}, "those of the other's")
    leases = names(at, f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases")
    assert leases >= {f"pgherd-{NAME}", "pgherd-the-other-one"}
    for name in (NAME, "other-pgherd"):
        assert not at.used(f"{NAMESPACE}:{name}", since=before).refusals, (tmp_path / name / "log").read_text()
