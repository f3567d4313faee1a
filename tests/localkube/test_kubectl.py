"""kubectl 1.34, a judge that nobody here wrote, on localkube and on a real API server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from kubeservers import KubeServer

Kubectl = Callable[..., str]
STATEFUL_SET: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "serviceName": "web",
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "main", "image": "registry/x:1", "env": [{"name": "A", "value": "1"}]}]},
        },
    },
}


def test_apply_three_ways(kubectl: Kubectl) -> None:
    text = yaml.safe_dump(STATEFUL_SET)
    assert "created" in kubectl("apply", "-f", "-", stdin=text)
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=text)
    kubectl("set", "env", "sts/web", "B=2")
    assert "configured" in kubectl("apply", "-f", "-", stdin=text.replace("registry/x:1", "registry/x:2"))
    container = json.loads(kubectl("get", "sts", "web", "-o", "json"))["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry/x:2"
    assert {e["name"] for e in container["env"]} == {"A", "B"}, "what somebody else added stays"
    without = yaml.safe_dump(
        json.loads(json.dumps(STATEFUL_SET).replace('"env": [{"name": "A", "value": "1"}]', '"env": []'))
    )
    kubectl("apply", "-f", "-", stdin=without)
    container = json.loads(kubectl("get", "sts", "web", "-o", "json"))["spec"]["template"]["spec"]["containers"][0]
    assert [e["name"] for e in container["env"]] == ["B"], "what was applied before and left out now goes"


def test_server_side_apply_and_diff(kubectl: Kubectl) -> None:
    text = yaml.safe_dump(STATEFUL_SET)
    assert "serverside-applied" in kubectl("apply", "--server-side", "-f", "-", stdin=text)
    assert kubectl("diff", "--server-side", "-f", "-", stdin=text) == ""
    changed = text.replace("replicas: 2", "replicas: 3")
    assert "+  replicas: 3" in kubectl("diff", "--server-side", "-f", "-", stdin=changed, fails=True)
    kubectl("patch", "sts/web", "-p", '{"spec": {"replicas": 5}}')
    assert "conflict" in kubectl("apply", "--server-side", "-f", "-", stdin=changed, fails=True)
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=changed)
    assert kubectl("get", "sts", "web", "-o", "jsonpath={.spec.replicas}") == "3"


def test_an_unknown_field_is_refused(kubectl: Kubectl) -> None:
    wrong = yaml.safe_dump({**STATEFUL_SET, "spec": {**STATEFUL_SET["spec"], "replica": 2}})
    assert 'unknown field "spec.replica"' in kubectl("apply", "-f", "-", stdin=wrong, fails=True)
    assert "created" in kubectl("apply", "--validate=ignore", "-f", "-", stdin=wrong)


def test_looking_around(kubectl: Kubectl, namespace: str) -> None:
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(STATEFUL_SET))
    kubectl("run", "p", "--image=registry/y:1", "--overrides", '{"spec":{"serviceAccountName":"default"}}')
    assert "web    0/2" in kubectl("get", "sts")
    wide = kubectl("get", "pods", "-o", "wide")
    head = "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES"
    assert " ".join(wide.split("\n")[0].split()) == head
    assert wide.split("\n")[1].split()[:4] == ["p", "0/1", "Pending", "0"]
    # Not "all": that asks for kinds of others, too, which may go between the two requests.
    assert "statefulset.apps/web" in kubectl("get", "statefulsets,pods,services")
    described = kubectl("describe", "sts", "web")
    assert "Replicas:           2 desired | 0 total" in described
    assert "registry/x:1" in described
    assert "registry/y:1" in kubectl("describe", "pod", "p")
    assert "Status:       Active" in kubectl("describe", "ns", namespace)
    names = kubectl("api-resources", "--namespaced=true", "-o", "name").split()
    assert {"pods", "statefulsets.apps", "endpointslices.discovery.k8s.io", "leases.coordination.k8s.io"} <= set(names)
    assert "Server Version: v1.34" in kubectl("version")


def test_changing_and_waiting(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(STATEFUL_SET))
    kubectl("label", "sts/web", "tier=db")
    kubectl("annotate", "sts/web", "note=x")
    kubectl("set", "image", "sts/web", "main=registry/x:3")
    kubectl("rollout", "restart", "sts/web")
    kubectl("patch", "sts/web", "--type=json", "-p", '[{"op": "replace", "path": "/spec/replicas", "value": 4}]')
    kubectl("wait", "--for=jsonpath={.spec.replicas}=4", "sts/web", "--timeout=20s")
    got = json.loads(kubectl("get", "sts", "web", "-o", "json"))
    assert got["metadata"]["labels"] == {"app": "web", "tier": "db"}
    assert got["metadata"]["annotations"]["note"] == "x"
    assert got["spec"]["template"]["spec"]["containers"][0]["image"] == "registry/x:3"
    assert "kubectl.kubernetes.io/restartedAt" in got["spec"]["template"]["metadata"]["annotations"]
    assert got["metadata"]["generation"] == 4
    kubectl("delete", "sts", "web")
    assert "NotFound" in kubectl("get", "sts", "web", fails=True)


def test_edit(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(STATEFUL_SET))
    editor = "sed -i s#registry/x:1#registry/x:9#"
    assert "edited" in kubectl("edit", "sts/web", editor=editor)
    assert "registry/x:9" in kubectl("get", "sts", "web", "-o", "yaml")


def test_custom_resources(kubectl: Kubectl, crd: dict[str, str]) -> None:
    widget = {"apiVersion": crd["api"], "kind": "Widget", "metadata": {"name": "w"}, "spec": {"team": "abc"}}
    assert "created" in kubectl("apply", "-f", "-", stdin=json.dumps(widget))
    table = kubectl("get", f"widgets.{crd['group']}").split("\n")
    assert table[0].split() == ["NAME", "TEAM", "N", "AGE"]
    assert table[1].split()[:3] == ["w", "abc", "1"]
    widget["spec"] = {"team": "xyz", "n": 3}
    assert "configured" in kubectl("apply", "-f", "-", stdin=json.dumps(widget))
    assert kubectl("get", f"widgets.{crd['group']}", "w", "-o", "jsonpath={.spec.team} {.spec.n}") == "xyz 3"
    described = kubectl("describe", f"widgets.{crd['group']}", "w")
    assert "Team:  xyz" in described
    widget["spec"] = {"team": "NO"}
    assert "spec.team" in kubectl("apply", "-f", "-", stdin=json.dumps(widget), fails=True)
    assert "deleted" in kubectl("delete", f"widgets.{crd['group']}", "--all")


def test_get_with_watch_prints_rows(kubectl: Kubectl, kube: KubeServer, namespace: str) -> None:
    kube.call("POST", f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    rows = kubectl("get", "secrets", "--watch", "--request-timeout=2s").split("\n")
    assert rows[1].split()[:3] == ["s", "Opaque", "1"]
