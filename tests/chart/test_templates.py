"""The chart: what it becomes is legal in every supported Kubernetes, and a value that is not known is refused."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import yaml

from api.scripts import ROOT
from chart.conftest import CHART, Helm
from desired.schemas import schema_errors
from pgherd.api import KUBERNETES_VERSIONS
from pgherd.api.configmap import parse_configmap
from pgherd.api.crd import crds
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.options import all_options, value_of
from pgherd.api.reading import parse_operator_configuration
from pgherd.kube.fencing import lease_name
from rights import granted

WATCHED = "configuration.kubernetes.watched_namespace"
EVERYTHING: dict[str, Any] = {
    "replicaCount": 3,
    "image.tag": "1.2.3",
    "imagePullSecrets": [{"name": "registry"}],
    "controllerID.create": True,
    "enableStreams": True,
    "rbac.createAggregateClusterRoles": True,
    "serviceAccount.annotations": {"a": "b"},
    "podPriorityClass.name": "databases",
    "extraArgs": ["--kubeqps", "20"],
    "extraEnvs": [{"name": "TZ", "value": "UTC"}],
    "deploymentAnnotations": {"a": "b"},
    "podAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"a": "b"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [],
    "service.annotations": {"a": "b"},
    "networkPolicy.from": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
    "networkPolicy.extraEgress": [{"ports": [{"port": 9000}]}],
    "configuration.kubernetes.enable_owner_references": True,
    "configuration.kubernetes.infrastructure_roles_secret_name": "roles",
    "configuration.kubernetes.pod_environment_configmap": "operators/environment",
}
VARIANTS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "everything": EVERYTHING,
    "config map": {"configTarget": "ConfigMap"},
    "endpoints": {"configuration.kubernetes_use_configmaps": False},
    "own namespace": {WATCHED: ""},
    "two namespaces": {WATCHED: "one,two", "enableStreams": True},
    "bare": {
        "rbac.create": False,
        "serviceAccount.create": False,
        "podPriorityClass.create": False,
        "networkPolicy.enabled": False,
        "podDisruptionBudget.enabled": False,
        "livenessProbe": None,
        "readinessProbe": None,
        "existingConfiguration": "mine",
    },
}
CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding", "PriorityClass"}


def kinds(objects: list[dict[str, Any]]) -> set[str]:
    return {one["kind"] for one in objects}


def one_of(objects: list[dict[str, Any]], kind: str, name: str = "") -> dict[str, Any]:
    (found,) = [one for one in objects if one["kind"] == kind and name in ("", one["metadata"]["name"])]
    return found


def configuration(objects: list[dict[str, Any]]) -> OperatorConfiguration:
    """What the operator reads of it."""
    for one in objects:
        if one["kind"] == "OperatorConfiguration":
            return parse_operator_configuration(one)
        if one["kind"] == "ConfigMap":
            return parse_configmap(one["data"])
    raise AssertionError("no configuration")


def test_lint(helm: Helm) -> None:
    helm("lint", "--strict", str(CHART))


@pytest.mark.parametrize("variant", VARIANTS)
def test_lint_with_values(helm: Helm, variant: str) -> None:
    helm("lint", "--strict", str(CHART), *helm.given(VARIANTS[variant]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_strict_schema_of_every_version(helm: Helm, variant: str) -> None:
    objects = helm.objects(VARIANTS[variant])
    known = [one for one in objects if not one["apiVersion"].startswith("acid.zalan.do")]
    assert known
    for version in KUBERNETES_VERSIONS:
        for one in known:
            assert schema_errors(one, version) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_name_is_unique_and_every_namespace_is_said(helm: Helm, variant: str) -> None:
    objects = helm.objects(VARIANTS[variant])
    names = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in objects]
    assert len(set(names)) == len(names)
    assert all(bool(namespace) != (kind in CLUSTER_WIDE) for kind, namespace, _ in names)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("replicas", 1),
        ("image.tga", "1"),
        ("networkPolicy.enable", True),
        ("configuration.kubernetes.watched_namespaces", "a"),
        ("configuration.kubernetes.spilo_runasuser", "root"),
        ("configuration.wokers", 4),
        ("configuration.sidecars", {"name": "a"}),
        ("configTarget", "CRD"),
        ("podDisruptionBudget.maxUnavailable", True),
    ],
)
def test_a_misspelt_value_is_refused(helm: Helm, key: str, value: Any) -> None:
    said = helm("template", "demo", str(CHART), *helm.given({key: value}), fails=True)
    assert key.rpartition(".")[2] in said


def test_every_option_is_a_value(helm: Helm) -> None:
    """The schema knows all options of an OperatorConfiguration, and null for each of them."""
    sections: dict[str, dict[str, Any]] = {}
    for option in all_options().values():
        if option.defaults.crd:
            sections.setdefault(option.section, {})[option.key] = None
    for section, options in sections.items():
        key = f"configuration.{section}" if section else "configuration"
        words = [word for name in options for word in ("--set-json", f"{key}.{name}=null")]
        helm("template", "demo", str(CHART), *words)


def test_the_configuration_is_what_the_values_say(helm: Helm) -> None:
    shipped = yaml.safe_load((CHART / "values.yaml").read_text())["configuration"]
    config = configuration(helm.objects({}))
    for section, content in shipped.items():
        for key, value in content.items() if isinstance(content, dict) else ():
            assert value_of(config, f"{section}.{key}") == value
    assert config.docker_image == f"docker.io/pgherd/postgres:{version()}"
    assert config.kubernetes.pod_priority_class_name == "demo-pgherd-pod"


MANY: dict[str, Any] = {
    "workers": 3,
    "min_instances": -1,
    "resync_period": "10m",
    "kubernetes.spilo_runasuser": 1000650000,
    "kubernetes.cluster_labels": {"application": "spilo", "made-by": "pgherd"},
    "kubernetes.inherited_labels": ["team", "environment"],
    "kubernetes.toleration": {"key": "postgres", "operator": "Exists", "effect": "NoSchedule"},
    "kubernetes.persistent_volume_claim_retention_policy": {"when_deleted": "retain", "when_scaled": "delete"},
    "kubernetes.custom_pod_annotations": {"a": "b:c,d"},
    "kubernetes.master_pod_move_timeout": "20m",
    "postgres_pod_resources.default_cpu_limit": "2",
    "teams_api.postgres_superuser_teams": ["one", "two"],
    "teams_api.team_api_role_configuration": {"log_statement": "all"},
    "logical_backup.logical_backup_schedule": "30 00 * * *",
    "load_balancer.custom_service_annotations": {},
    "debug.debug_logging": False,
}


def test_both_forms_say_the_same(helm: Helm) -> None:
    values = {f"configuration.{path}": value for path, value in MANY.items()}
    crd = configuration(helm.objects(values))
    flat = configuration(helm.objects(values | {"configTarget": "ConfigMap"}))
    for path in MANY:
        assert value_of(crd, path) == value_of(flat, path) or path.endswith("custom_pod_annotations"), path
    # A value with a separator keeps its quotes in this form (spec api.md 3.2); it does not become two.
    assert flat.kubernetes.custom_pod_annotations == {"a": '"b:c,d"'}
    assert value_of(crd, "kubernetes.spilo_runasuser") == 1000650000
    assert value_of(crd, "workers") == 3


@pytest.mark.parametrize(
    "value",
    [
        {"configuration.sidecars": [{"name": "a", "image": "b"}]},
        {"configuration.kubernetes.infrastructure_roles_secrets": [{"secretname": "a"}]},
    ],
    ids=["sidecars", "roles"],
)
def test_what_a_config_map_cannot_say_is_refused(helm: Helm, value: dict[str, Any]) -> None:
    given = helm.given(value | {"configTarget": "ConfigMap"})
    said = helm("template", "demo", str(CHART), *given, fails=True)
    assert "Cure: configTarget: OperatorConfigurationCRD" in said
    helm.objects(value)


def test_null_takes_back_a_default(helm: Helm) -> None:
    config = one_of(helm.objects({"configuration.kubernetes.pod_security_restricted": None}), "OperatorConfiguration")
    assert "pod_security_restricted" not in config["configuration"]["kubernetes"]


def test_roles_only_in_the_watched_namespaces(helm: Helm) -> None:
    objects = helm.objects({WATCHED: "one, two"})
    assert kinds(objects) & CLUSTER_WIDE == {"PriorityClass"}
    assert configuration(objects).enable_crd_registration is False
    for namespace in ("one", "two"):
        here = {
            (one["kind"], one["metadata"]["name"]) for one in objects if one["metadata"].get("namespace") == namespace
        }
        pods = {(kind, "postgres-pod") for kind in ("ServiceAccount", "Role", "RoleBinding")}
        assert here == pods | {(kind, "demo-pgherd-clusters") for kind in ("Role", "RoleBinding")}


def test_what_database_pods_stand_on_is_kept(helm: Helm) -> None:
    for values in ({}, {WATCHED: "one"}):
        objects = helm.objects(values)
        kept = {
            (one["kind"], one["metadata"]["name"])
            for one in objects
            if (one["metadata"].get("annotations") or {}).get("helm.sh/resource-policy") == "keep"
        }
        assert kept == {
            (one["kind"], one["metadata"]["name"])
            for one in objects
            if one["metadata"]["name"] == "postgres-pod" or one["kind"] == "PriorityClass"
        }
        assert len(kept) > 1


def test_rights_have_no_wildcard_and_no_escalation(helm: Helm) -> None:
    for values in VARIANTS.values():
        for one in helm.objects(values):
            for rule in one.get("rules", ()):
                assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
                assert not {"escalate", "impersonate"} & set(rule["verbs"])
                assert "bind" not in rule["verbs"] or rule["resourceNames"] == ["postgres-pod"]


def test_the_operator_is_restricted(helm: Helm) -> None:
    pod = one_of(helm.objects({}), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert container["image"] == f"docker.io/pgherd/operator:{version()}"


def test_one_port(helm: Helm) -> None:
    objects = helm.objects({"configuration.logging_rest_api.api_port": 9080})
    (container,) = one_of(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["ports"][0]["containerPort"] == 9080
    assert one_of(objects, "Service")["spec"]["ports"][0]["port"] == 9080
    assert one_of(objects, "NetworkPolicy")["spec"]["ingress"][0]["ports"][0]["port"] == 9080
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "api"}


def test_the_documented_policies_let_the_operator_in(helm: Helm) -> None:
    text = (ROOT / "docs/install.md").read_text().partition("## Network policies for clusters")[2]
    policies = list(yaml.safe_load_all(text.partition("```yaml\n")[2].partition("```")[0]))
    assert {policy["kind"] for policy in policies} == {"NetworkPolicy"}
    for policy in policies:
        for version_of_kubernetes in KUBERNETES_VERSIONS:
            assert schema_errors(policy, version_of_kubernetes) == []
    peers = next(one for one in policies if one["metadata"]["name"] == "database-pods")["spec"]["ingress"][0]["from"]
    labels = one_of(helm.objects({}), "Deployment")["spec"]["template"]["metadata"]["labels"]
    (operator,) = (peer["podSelector"]["matchLabels"] for peer in peers if "namespaceSelector" in peer)
    assert operator.items() <= labels.items()


def test_monitoring_only_where_wanted(helm: Helm) -> None:
    assert "ServiceMonitor" not in kinds(helm.objects({}))
    monitor = one_of(helm.objects({"serviceMonitor.enabled": True}), "ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint == {"port": "api", "path": "/metrics", "interval": "30s", "honorLabels": True}


def test_the_crds_are_the_models() -> None:
    found = {path.stem: yaml.safe_load(path.read_text()) for path in (CHART / "crds").glob("*.yaml")}
    assert found == {crd["spec"]["names"]["plural"]: crd for crd in crds()}


def version() -> str:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def test_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == version()
    assert chart["kubeVersion"] == f">={KUBERNETES_VERSIONS[0]}.0-0"


@pytest.mark.parametrize("name", ["", "second", "Ours_2", "-a.b-", "???"])
def test_the_operator_has_rights_on_the_lease_that_it_will_hold(helm: Helm, name: str) -> None:
    objects = helm.objects({"controllerID.create": True, "controllerID.name": name})
    (deployment,) = (one for one in objects if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (controller,) = (one["value"] for one in container["env"] if one["name"] == "CONTROLLER_ID")
    assert controller == (name or "demo-pgherd")
    rights = {right for one in objects for right in granted(one.get("rules", ()))}
    assert {one.name for one in rights if one.resource == "leases"} == {"", lease_name(controller)}
