"""The operator under test has the rights of the chart and no others; so have its database pods.

:func:`install` applies what the chart grants (`helm template` with the platform's configuration) and gives a kubeconfig
of that ServiceAccount. Where the platform keeps an audit log, :meth:`Account.check` compares what was used with what
was granted; :data:`accounts` are those of this test session, for the comparison at its end.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from api.scripts import ROOT, script
from api_client import Api, eventually
from rights import Right, Used, granted, used

POD_ACCOUNT = "postgres-pod"
RBAC_PATHS = {
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
}
"""Kind to its collection: what of the chart an operator outside of the cluster needs."""
TOKEN_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Granted:
    """The chart's objects of :data:`RBAC_PATHS`, for an operator called ``name``."""

    name: str
    objects: Sequence[Mapping[str, Any]]

    def rights(self, *, pods: bool = False) -> set[Right]:
        """The operator's, or those of the database pods."""
        return granted(
            rule
            for one in self.objects
            if (one["metadata"]["name"] == POD_ACCOUNT) == pods
            for rule in one.get("rules", ())
        )


def helm() -> Path | None:
    """The one that the tests of the chart use; None where there is none."""
    module = script("helm")
    try:
        found: Path = module.find()
    except module.Missing:
        return None
    return found


def render(name: str, namespace: str, configuration: Mapping[str, Any], existing: str) -> Granted:
    """What the chart grants for a configuration that ``existing``, an OperatorConfiguration, has.

    AssertionError where there is no Helm or the values are refused.
    """
    program = helm()
    assert program, "the rights of the operator are the chart's, and there is no helm. Cure: python hack/helm.py"
    values = {"fullnameOverride": name, "existingConfiguration": existing, "configuration": configuration}
    command = [str(program), "template", name, str(ROOT / "charts/pgherd"), "-n", namespace, "--values", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.safe_load_all(done.stdout) if one and one["kind"] in RBAC_PATHS]
    return Granted(name, objects)


@dataclass
class Account:
    """The operator's, in the namespace of ``api``. ``logs`` says where audit logs are; ``ended`` what they said."""

    api: Api
    granted: Granted
    logs: Path
    enforced: bool
    ended: tuple[Used, Used] | None = None

    def users(self) -> tuple[str, str]:
        """The operator and its database pods, as an API server calls them."""
        head = f"system:serviceaccount:{self.api.namespace}"
        return f"{head}:{self.granted.name}", f"{head}:{POD_ACCOUNT}"

    def used(self) -> tuple[Used, Used]:
        """What the operator did so far, and what the database pods."""
        if self.ended:
            return self.ended
        logs = sorted(self.logs.parent.glob(f"{self.logs.stem}*{self.logs.suffix}"))
        operator, pods = (used(logs, user, POD_ACCOUNT) for user in self.users())
        return operator, pods

    def check(self) -> None:
        """At the end of a platform. AssertionError with what was used and is not granted."""
        self.ended = self.used()
        for one, pods in zip(self.ended, (False, True), strict=True):
            whose = "the database pods" if pods else "the operator"
            lacking = one.lacking(self.granted.rights(pods=pods))
            assert not lacking, f"{whose} used what the chart does not grant: {', '.join(lacking)}"
            assert not (self.enforced and one.refusals), f"refused to {whose}: {sorted(one.refusals)}"

    def remove(self) -> None:
        """What is in no namespace, but for the role of the pods, which others may have."""
        for one in self.granted.objects:
            if one["kind"].startswith("Cluster") and one["metadata"]["name"] != POD_ACCOUNT:
                self.api.call("DELETE", _path(one))


accounts: list[Account] = []


def install(api: Api, granted: Granted, logs: Path, *, enforced: bool) -> Account:
    """Make the account with its rights. ``enforced``: the server refuses what is not granted."""
    for one in granted.objects:
        api.apply(_path(one), one)
    account = Account(api, granted, logs, enforced)
    if enforced:
        for group, resource, verb in (
            ("acid.zalan.do", "postgresqls", "list"),
            ("coordination.k8s.io", "leases", "create"),
        ):
            eventually(lambda asked=(group, resource, verb): _allowed(account, *asked), f"{verb} {resource} is allowed")
    accounts.append(account)
    return account


def write_kubeconfig(account: Account, administrators: Path, path: Path) -> Path:
    """Like the administrator's, with a token of the account."""
    api, name = account.api, account.granted.name
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_SECONDS},
    }
    answer = api.call("POST", f"{api.root()}/serviceaccounts/{name}/token", body)
    read = yaml.safe_load(administrators.read_text())
    for one in read["users"]:
        one["user"] = {"token": answer["status"]["token"]}
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(read))
    return path


def _allowed(account: Account, group: str, resource: str, verb: str) -> bool:
    """Rights count a moment after they are given."""
    attributes = {"namespace": account.api.namespace, "group": group, "resource": resource, "verb": verb}
    body = {"spec": {"user": account.users()[0], "resourceAttributes": attributes}}
    answer = account.api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(answer["status"]["allowed"])


def _path(one: Mapping[str, Any]) -> str:
    metadata = one["metadata"]
    return f"{RBAC_PATHS[one['kind']].format(namespace=metadata.get('namespace', ''))}/{metadata['name']}"
