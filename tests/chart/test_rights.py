"""How the audit of rights judges (rights.py): on lines as kube-apiserver writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from operator_account import OPERATOR, PODS, Account, Granted, helm, recorded, render
from rights import Right, granted, used

USER = "system:serviceaccount:pgherd:pgherd"


def line(verb: str, resource: str, *, user: str = USER, code: int = 200, message: str = "", **about: str) -> str:
    event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "stage": "ResponseComplete",
        "verb": verb,
        "user": {"username": user},
        "objectRef": {"resource": resource, "apiVersion": "v1", **about},
        "responseStatus": {"metadata": {}, "code": code, "message": message},
    }
    return json.dumps(event, separators=(",", ":")) + "\n"


def log(folder: Path, *lines: str) -> Path:
    path = folder / "audit.log"
    path.write_text("".join(lines))
    return path


RULES: list[dict[str, Any]] = [
    {"apiGroups": [""], "resources": ["pods", "pods/exec"], "verbs": ["get"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": ["pgherd"], "verbs": ["get"]},
]
LEASE = {"apiGroup": "coordination.k8s.io", "name": "pgherd"}


def test_used_and_not_granted(tmp_path: Path) -> None:
    lines = [
        line("get", "pods", name="acid-0", namespace="a"),
        line("get", "pods", name="acid-0", namespace="a", subresource="exec"),
        line("get", "leases", **LEASE),
        # None of these is granted: another verb, part, name, or group; and no name at all.
        line("list", "pods", namespace="a"),
        line("get", "pods", name="acid-0", namespace="a", subresource="log"),
        line("get", "leases", apiGroup="coordination.k8s.io", name="other"),
        line("get", "leases", apiGroup="coordination.k8s.io"),
        line("get", "pods", apiGroup="metrics.k8s.io", name="acid-0"),
        # Somebody else, a line without an object, and one that is not whole.
        line("delete", "secrets", user=USER + "-2"),
        json.dumps({"user": {"username": USER}, "verb": "get", "requestURI": "/version"}) + "\n",
        line("delete", "secrets")[:-30],
    ]
    done = used([log(tmp_path, *lines)], USER)
    assert done.lacking(granted(RULES)) == [
        "get leases.coordination.k8s.io",
        "get leases.coordination.k8s.io other",
        "get pods.metrics.k8s.io acid-0",
        "get pods/log acid-0",
        "list pods",
    ]
    assert done.idle(granted(RULES)) == []


def test_granted_and_never_used(tmp_path: Path) -> None:
    done = used([log(tmp_path, line("get", "pods", name="acid-0"))], USER)
    assert done.idle(granted(RULES)) == ["get leases.coordination.k8s.io pgherd", "get pods/exec"]


def test_what_one_request_asks_for_beside_its_verb(tmp_path: Path) -> None:
    """An apply that makes an object needs create as well; a role binding needs bind on its role."""
    rbac = "rbac.authorization.k8s.io"
    lines = [
        line("patch", "services", name="made", code=201),
        line("patch", "secrets", name="changed"),
        line("create", "rolebindings", name="postgres-pod", apiGroup=rbac, code=201),
    ]
    assert used([log(tmp_path, *lines)], USER, "postgres-pod").rights == {
        Right("", "services", "patch", "made"),
        Right("", "services", "create"),
        Right("", "secrets", "patch", "changed"),
        Right(rbac, "rolebindings", "create"),
        Right(rbac, "clusterroles", "bind", "postgres-pod"),
    }


def test_refusals_of_rbac_only(tmp_path: Path) -> None:
    lacking = f'nodes is forbidden: User "{USER}" cannot list resource "nodes" in API group "" at the cluster scope'
    held = f'rolebindings "x" is forbidden: user "{USER}" is attempting to grant RBAC permissions not currently held'
    ends = 'services "x" is forbidden: unable to create new content in namespace a because it is being terminated'
    lines = [
        line("list", "nodes", code=403, message=lacking),
        line("create", "rolebindings", code=403, message=held),
        line("create", "services", code=403, message=ends),
    ]
    done = used([log(tmp_path, *lines)], USER)
    assert done.refusals == {Right("", "nodes", "list"): lacking, Right("", "rolebindings", "create"): held}
    assert done.rights == {Right("", "services", "create")}


@pytest.fixture
def account(tmp_path: Path) -> Account:
    if helm() is None:
        pytest.skip("no helm. Cure: python hack/helm.py")
    from api_client import Api

    made: Granted = render("pgherd", "pgherd", {"enable_crd_registration": False}, "operator")
    return Account(Api("http://127.0.0.1:1", "", "pgherd"), made, tmp_path / "audit.log", enforced=True)


def test_a_platform_fails_at_its_end(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what its account used and the chart does not grant; what was seen is recorded for the last test."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    monkeypatch.setenv("PGHERD_RECORD_RIGHTS", str(folder))
    log(tmp_path)
    with pytest.raises(AssertionError, match="knows nothing of the operator"):
        account.check()
    patroni = line("patch", "pods", user="system:serviceaccount:pgherd:postgres-pod", name="acid-0")
    good = [line("list", "pods"), line("patch", "services", name="made", code=201), patroni]
    log(tmp_path, *good)
    account.check()
    rights, done = recorded(folder, OPERATOR)
    assert Right("", "secrets", "get") in rights
    assert done.rights == used([tmp_path / "audit.log"], USER).rights
    assert "patch pods" not in recorded(folder, PODS)[1].idle(recorded(folder, PODS)[0])

    log(tmp_path, *good, line("list", "namespaces"))
    with pytest.raises(AssertionError, match="the operator used what the chart does not grant: list namespaces"):
        account.check()
    log(tmp_path, *good, line("list", "secrets", code=403, message=f'User "{USER}" cannot list resource "secrets"'))
    with pytest.raises(AssertionError, match="refused to the operator"):
        account.check()
    # By a server that has just started, once.
    log(tmp_path, *good, line("list", "pods", code=403, message=f'User "{USER}" cannot list resource "pods"'))
    account.check()
    soft = 'User "system:serviceaccount:pgherd:postgres-pod" cannot get resource "endpoints"'
    of_pods = {"user": "system:serviceaccount:pgherd:postgres-pod", "name": "kubernetes"}
    log(tmp_path, *good, line("get", "endpoints", code=403, message=soft, **of_pods))
    account.check()
    assert recorded(folder, PODS)[1].refusals == {Right("", "endpoints", "get", "kubernetes"): soft}
    log(tmp_path, *good, line("delete", "pods", user="system:serviceaccount:pgherd:postgres-pod", name="acid-0"))
    with pytest.raises(
        AssertionError, match="the database pods used what the chart does not grant: delete pods acid-0"
    ):
        account.check()
