"""What clusters share, and what others create and we only mark (spec objects.md 6 and 11)."""

from __future__ import annotations

import json

import pytest
import yaml

from desired.contexts import context, manifest
from pgherd.desired.endpoints import desired_adopted
from pgherd.desired.service_account import desired_role_binding, desired_service_account, desired_shared
from pgherd.errors import ManifestError

ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ignored
  namespace: ignored
  annotations: {team: db}
imagePullSecrets:
- name: registry
"""
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "mine", "namespace": "ignored"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "mine"},
    "subjects": [{"kind": "ServiceAccount", "name": "postgres-pod"}],
}


def test_default_account_and_binding() -> None:
    assert desired_shared(context()) == (
        yaml.safe_load("""
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: postgres-pod, namespace: pg-demo}
        """),
        yaml.safe_load("""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: postgres-pod, namespace: pg-demo}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: postgres-pod}
        subjects:
        - {kind: ServiceAccount, name: postgres-pod}
        """),
    )


def test_account_of_the_configuration() -> None:
    options = {"pod_service_account_definition": ACCOUNT, "irsa_role_arn": "arn", "pod_service_account_name": "pods"}
    account = desired_service_account(context(options=options))
    assert account["metadata"] == {
        "name": "pods",
        "namespace": "pg-demo",
        "annotations": {"team": "db", "eks.amazonaws.com/role-arn": "arn"},
    }
    assert account["imagePullSecrets"] == [{"name": "registry"}]


def test_binding_of_the_configuration() -> None:
    options = {"pod_service_account_role_binding_definition": json.dumps(BINDING)}
    expected = {**BINDING, "metadata": {"name": "mine", "namespace": "pg-demo"}}
    assert desired_role_binding(context(options=options)) == expected


@pytest.mark.parametrize("text", ["kind: [", "just text", "kind: Pod", "- kind: ServiceAccount"])
def test_a_definition_that_is_none(text: str) -> None:
    with pytest.raises(ManifestError, match=r"configuration\.kubernetes\.pod_service_account_definition"):
        desired_service_account(context(options={"pod_service_account_definition": text}))


def test_nothing_is_marked_without_a_mark() -> None:
    assert desired_adopted(context()) == ()


MARKED = manifest(metadata={"annotations": {"owned-by": "me"}})
METADATA = {"namespace": "pg-demo", "annotations": {"owned-by": "me"}}


@pytest.mark.parametrize(
    ("configmaps", "expected"),
    [
        (
            True,
            [
                ("ConfigMap", "acid-demo-leader"),
                ("ConfigMap", "acid-demo-config"),
                ("ConfigMap", "acid-demo-sync"),
                ("ConfigMap", "acid-demo-failover"),
                ("Service", "acid-demo-config"),
            ],
        ),
        (
            False,
            [
                ("Endpoints", "acid-demo-config"),
                ("Endpoints", "acid-demo-sync"),
                ("Endpoints", "acid-demo-failover"),
                ("Endpoints", "acid-demo-repl"),
                ("Service", "acid-demo-config"),
            ],
        ),
    ],
)
def test_marked_objects(configmaps: bool, expected: list[tuple[str, str]]) -> None:
    ctx = context(MARKED, {"inherited_annotations": ["owned-by"], "kubernetes_use_configmaps": configmaps})
    assert desired_adopted(ctx) == tuple(
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **METADATA}} for kind, name in expected
    )
