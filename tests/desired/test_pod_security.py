"""Which pods are restricted, what a person hears about it, and what a real API server says to the pods."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from desired.contexts import context, manifest
from kubeservers import KubeServer
from pgherd.desired.advice import advice
from pgherd.desired.children import desired_children
from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest, revealed
from pgherd.desired.notices import notices
from pgherd.desired.pod_security_standard import violations
from pgherd.desired.statefulset import desired_statefulset, pod_template
from pgherd.errors import ManifestError

ON = {"pod_security_restricted": True}
EVERYTHING = {
    "enableConnectionPooler": True,
    "enableReplicaConnectionPooler": True,
    "enableLogicalBackup": True,
    "sidecars": [{"name": "exporter", "image": "exporter:1"}],
    "initContainers": [{"name": "init", "image": "init:1"}],
    "tls": {"secretName": "tls"},
}
_POD = {"volumes": [{"name": "mine", "hostPath": {"path": "/data"}}]}
REFUSED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "root": ({"securityContext": {"runAsUser": 0}}, "runAsUser is 0"),
    "may be root": ({"securityContext": {"runAsNonRoot": False}}, "runAsNonRoot is not true"),
    "privileged": ({"securityContext": {"privileged": True}}, "privileged"),
    "escalation": ({"securityContext": {"allowPrivilegeEscalation": True}}, "allowPrivilegeEscalation"),
    "capability": ({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}}, "capabilities CHOWN"),
    "kept capability": ({"securityContext": {"capabilities": {"drop": ["CHOWN"]}}}, "capabilities are not all dropped"),
    "seccomp": ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "seccompProfile is neither"),
    "apparmor": ({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, "appArmorProfile is Unconfined"),
    "selinux": ({"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}, "seLinuxOptions"),
    "probe": (
        {"livenessProbe": {"tcpSocket": {"host": "1.2.3.4", "port": 80}}, "restartPolicy": "Always"},
        "host of a probe",
    ),
    "host port": ({"ports": [{"containerPort": 80, "hostPort": 80}]}, "hostPort"),
}


def restricted(options: Mapping[str, Any] = ON, /, **spec: Any) -> Context:
    return context(manifest(**spec), options)


def pods(ctx: Context) -> Iterator[tuple[str, Manifest]]:
    """Name and specification of every pod that the cluster's workloads make."""
    for child in desired_children(ctx):
        spec = child.get("spec", {})
        template = spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template")
        if template:
            yield child["metadata"]["name"], revealed(template)


def reasons(ctx: Context) -> list[str]:
    return [notice.reason for notice in notices(ctx)]


def test_without_the_option_no_pod_passes() -> None:
    assert all(list(violations(pod["spec"])) for _, pod in pods(context(manifest(**EVERYTHING))))


def test_with_the_option_every_pod_passes() -> None:
    found = dict(pods(restricted(**EVERYTHING)))
    assert set(found) == {"acid-demo", "acid-demo-pooler", "acid-demo-pooler-repl", "logical-backup-acid-demo"}
    assert {name: list(violations(pod["spec"])) for name, pod in found.items()} == {name: [] for name in found}
    assert not {"PodSecurityViolated", "PodSecurityWins", "PodSecurityKept"} & set(reasons(restricted(**EVERYTHING)))


def test_the_manifest_decides_before_the_option() -> None:
    asked = context(manifest(podSecurityRestricted=True))
    assert pod_template(asked)["spec"]["securityContext"]["runAsNonRoot"]
    assert pod_template(restricted(podSecurityRestricted=False))["spec"]["securityContext"] == {}


@pytest.mark.parametrize(
    ("ctx", "path"),
    [
        (restricted(spiloRunAsUser=0), "spec.spiloRunAsUser"),
        (restricted({**ON, "spilo_runasuser": 0}), "configuration.kubernetes.spilo_runasuser"),
    ],
)
def test_root_is_an_error(ctx: Context, path: str) -> None:
    with pytest.raises(ManifestError) as caught:
        desired_statefulset(ctx)
    [fault] = caught.value.faults
    assert (fault.path, fault.value) == (path, "0")
    assert "podSecurityRestricted" in fault.cure


def test_options_that_lose_are_named_but_not_a_default() -> None:
    ctx = restricted({**ON, "spilo_privileged": True, "additional_pod_capabilities": ["SYS_NICE"]})
    told = [notice.message for notice in notices(ctx) if notice.reason == "PodSecurityWins"]
    assert [message.split()[0] for message in told] == ["spilo_privileged", "additional_pod_capabilities"]
    assert not list(violations(pod_template(ctx)["spec"]))


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_manifest_asks_for_is_kept_and_told(name: str) -> None:
    fields, refused = REFUSED[name]
    container = {"name": "mine", "image": "i:1", **fields}
    ctx = restricted(initContainers=[container])
    [built] = pod_template(ctx)["spec"]["initContainers"]
    for key, value in fields.get("securityContext", {}).items():
        assert built["securityContext"][key] == value
    told = [notice.message for notice in advice(ctx) if notice.reason == "PodSecurityViolated"]
    assert any(f"init container mine: {refused}" in message for message in told)


def test_a_root_container_of_the_manifest_still_starts_where_nobody_enforces() -> None:
    ctx = restricted(initContainers=[{"name": "chown", "image": "i:1", "securityContext": {"runAsUser": 0}}])
    [built] = pod_template(ctx)["spec"]["initContainers"]
    assert built["securityContext"] == {"runAsUser": 0, "runAsNonRoot": False}


def test_a_volume_that_is_refused_is_told() -> None:
    asked = [{"name": "mine", "mountPath": "/mine", "volumeSource": {"hostPath": {"path": "/data"}}}]
    told = [notice.message for notice in notices(restricted(additionalVolumes=asked))]
    assert any("volume mine: hostPath" in message for message in told)


def test_a_cluster_that_was_taken_over_keeps_what_it_has_until_it_asks() -> None:
    before, with_option = (context(manifest(), options, taken_over=True) for options in ({}, ON))
    assert desired_statefulset(before) == desired_statefulset(with_option)
    assert "PodSecurityKept" in reasons(with_option)
    assert "PodSecurityKept" not in reasons(before)
    asked = context(manifest(podSecurityRestricted=True), ON, taken_over=True)
    assert not list(violations(pod_template(asked)["spec"]))
    assert "PodSecurityKept" not in reasons(asked)


@pytest.fixture(scope="module")
def namespace(kubernetes_server: KubeServer) -> str:
    name = "pod-security-restricted"
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"metadata": {"name": name, "labels": label}}
    assert kubernetes_server.call("POST", "/api/v1/namespaces", body).code in (201, 409)
    return name


_NAMES = (f"pod-{number}" for number in itertools.count())


def admit(server: KubeServer, namespace: str, template: Manifest) -> tuple[int, str]:
    """Status and message of making the pod, without keeping it."""
    spec = {key: value for key, value in template["spec"].items() if key != "priorityClassName"}
    if "volumes" in spec or "pgdata" in str(spec):
        spec["volumes"] = [{"name": "pgdata", "persistentVolumeClaim": {"claimName": "data"}}, *spec.get("volumes", ())]
    metadata = {"name": next(_NAMES), "labels": template["metadata"]["labels"]}
    answer = server.call(
        "POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", {"metadata": metadata, "spec": spec}
    )
    return answer.code, answer.body.get("message", "")


@pytest.mark.parametrize("restrict", [True, False])
def test_a_namespace_that_enforces_the_standard(kubernetes_server: KubeServer, namespace: str, restrict: bool) -> None:
    for name, template in pods(context(manifest(**EVERYTHING), {"pod_security_restricted": restrict})):
        code, message = admit(kubernetes_server, namespace, template)
        if restrict:
            assert code == 201, f"{name}: {message}"
        else:
            assert code == 403, f"{name}: {code}"
            assert "violates PodSecurity" in message


@pytest.mark.parametrize("name", [*REFUSED, "host path"])
def test_the_api_server_refuses_what_we_say_it_would(kubernetes_server: KubeServer, namespace: str, name: str) -> None:
    template = revealed(pod_template(restricted(initContainers=[{"name": "mine", "image": "i:1"}])))
    fields, _ = REFUSED.get(name, ({}, ""))
    [container] = template["spec"]["initContainers"]
    security = {**container["securityContext"], **fields.get("securityContext", {})}
    if security.get("privileged"):
        del security["allowPrivilegeEscalation"]
    changed = {**template["spec"], "initContainers": [{**container, **fields, "securityContext": security}]}
    if name == "host path":
        changed["volumes"] = [*changed["volumes"], *_POD["volumes"]]
    assert list(violations(changed))
    code, message = admit(kubernetes_server, namespace, {**template, "spec": changed})
    assert code == 403, message
    assert "violates PodSecurity" in message
