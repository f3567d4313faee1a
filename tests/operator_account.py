"""The operator under test has the rights of the chart and no others; so have its database pods.

:func:`render` is what the chart grants (`helm template` with the platform's configuration), :meth:`Account.install`
makes it and a kubeconfig of that ServiceAccount. Where the platform keeps an audit log, :meth:`Account.check` compares
what was used with what was granted, and writes both down in the folder PGHERD_RECORD_RIGHTS, if that is set, so that
several test processes can be judged together (:mod:`e2e.test_rights`).
"""

from __future__ import annotations

import json
import os
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
"""As the database pods' account is called where the configuration says nothing."""
OPERATOR, PODS = "the operator", "the database pods"
DONE_WITHOUT: Mapping[str, Mapping[Right, str]] = {
    OPERATOR: {},
    PODS: {
        Right(
            "", "endpoints", "get", "kubernetes"
        ): "Patroni looks in the namespace default for all API servers, once, "
        "and stays with their Service then, as it does below the reference operator",
    },
}
"""What is asked for, refused on a real cluster, and no harm: and why."""
RBAC_PATHS = {
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
}
"""Kind to its collection: what of the chart an operator outside of the cluster needs."""
STARTING = (("list", "postgresqls", "acid.zalan.do"), ("create", "leases", "coordination.k8s.io"))
"""Of each of the operator's roles, something that it does at once."""


@dataclass(frozen=True)
class Granted:
    """The chart's objects of :data:`RBAC_PATHS`, for an operator called ``name`` and the account ``pods``."""

    name: str
    pods: str
    objects: Sequence[Mapping[str, Any]]

    def rights(self, whose: str) -> set[Right]:
        """Of OPERATOR or PODS. The right to bind the role of the pods is called the same everywhere."""
        found = granted(
            rule
            for one in self.objects
            if (one["metadata"]["name"] == self.pods) == (whose == PODS)
            for rule in one.get("rules", ())
        )
        return {right._replace(name=POD_ACCOUNT) if right.name == self.pods else right for right in found}


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
    pods = configuration.get("kubernetes", {}).get("pod_service_account_name", POD_ACCOUNT)
    return Granted(name, pods, objects)


@dataclass
class Account:
    """The operator's, in the namespace of ``api``.

    ``log`` is the platform's audit log, if it keeps one; ``enforced``: its server refuses what is not granted.
    """

    api: Api
    granted: Granted
    log: Path | None
    enforced: bool

    def install(self, administrators: Path, kubeconfig: Path) -> None:
        """Make it with its rights, and write ``kubeconfig``: like the administrator's, with a token of the account."""
        for one in self.granted.objects:
            self.api.apply(_path(one), one)
        if self.enforced:
            for asked in STARTING:
                eventually(lambda asked=asked: self._may(*asked), f"the operator may {' '.join(asked)}")
        read = yaml.safe_load(administrators.read_text())
        for one in read["users"]:
            one["user"] = {"token": self.token()}
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(yaml.safe_dump(read))

    def token(self, **spec: Any) -> str:
        """Of the TokenRequest API, for a day if ``spec`` does not say otherwise."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 24 * 3600, **spec},
        }
        path = f"{self.api.root()}/serviceaccounts/{self.granted.name}/token"
        return str(self.api.call("POST", path, body)["status"]["token"])

    def users(self) -> Mapping[str, str]:
        """The operator and its database pods, as an API server calls them."""
        head = f"system:serviceaccount:{self.api.namespace}"
        return {OPERATOR: f"{head}:{self.granted.name}", PODS: f"{head}:{self.granted.pods}"}

    def check(self) -> None:
        """At the end of a platform. AssertionError with what was used and is not granted, or was refused."""
        if self.log is None:
            return
        # Kubernetes begins a new file now and then, and keeps the former ones beside it.
        logs = sorted(self.log.parent.glob(f"{self.log.stem}*{self.log.suffix}"))
        done = {whose: used(logs, user, POD_ACCOUNT) for whose, user in self.users().items()}
        assert done[OPERATOR].rights, f"{self.log} knows nothing of the operator"
        if folder := os.environ.get("PGHERD_RECORD_RIGHTS"):
            self._record(Path(folder), done)
        for whose, one in done.items():
            lacking = one.lacking(self.granted.rights(whose))
            assert not lacking, f"{whose} used what the chart does not grant: {', '.join(lacking)}"
            refused = [message for right, message in one.refusals.items() if right not in DONE_WITHOUT[whose]]
            assert not (self.enforced and refused), f"refused to {whose}: {refused}"

    def _record(self, folder: Path, done: Mapping[str, Used]) -> None:
        record = {
            whose: {
                "granted": sorted(self.granted.rights(whose)),
                "used": sorted(one.rights),
                "refused": sorted(one.refusals.items()),
            }
            for whose, one in done.items()
        }
        (folder / f"{self.granted.name}.json").write_text(json.dumps(record))

    def remove(self) -> None:
        """What is in no namespace."""
        for one in self.granted.objects:
            if one["kind"].startswith("Cluster"):
                self.api.call("DELETE", _path(one))

    def _may(self, verb: str, resource: str, group: str) -> bool:
        """Rights count a moment after they are given."""
        attributes = {"namespace": self.api.namespace, "group": group, "resource": resource, "verb": verb}
        body = {"spec": {"user": self.users()[OPERATOR], "resourceAttributes": attributes}}
        answer = self.api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
        return bool(answer["status"]["allowed"])


def recorded(folder: Path, whose: str) -> tuple[set[Right], Used]:
    """What all platforms granted and what was used there, as :meth:`Account.check` wrote it down."""
    rights: set[Right] = set()
    done = Used()
    for path in folder.glob("*.json"):
        record = json.loads(path.read_text())[whose]
        rights |= {Right(*one) for one in record["granted"]}
        done.rights |= {Right(*one) for one in record["used"]}
        done.refusals |= {Right(*one): message for one, message in record["refused"]}
    return rights, done


def _path(one: Mapping[str, Any]) -> str:
    metadata = one["metadata"]
    return f"{RBAC_PATHS[one['kind']].format(namespace=metadata.get('namespace', ''))}/{metadata['name']}"
