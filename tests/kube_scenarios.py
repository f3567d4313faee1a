# ruff: noqa: E501 - a step is one line
"""Calls whose answers are compared with those of a real API server (``answers/``): see test_answers.py.

A step is (method, path, body, headers). ``{ns}``, ``{group}`` stand for a fresh namespace and a fresh CRD's group; in a
body and a query ``{rv}`` is the resourceVersion of the last object answered, ``{uid}`` its uid, ``{continue}`` the last
list's token.
"""

from __future__ import annotations

from typing import Any

Step = tuple[str, str, Any, dict[str, str]]
MERGE = {"Content-Type": "application/merge-patch+json"}
JSON = {"Content-Type": "application/json-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
CORE = "/api/v1/namespaces/{ns}"
APPS = "/apis/apps/v1/namespaces/{ns}"
WIDGETS = "/apis/{group}/v1/namespaces/{ns}/widgets"


def step(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Step:
    return method, path, body, headers or {}


def post(path: str, body: Any) -> Step:
    return step("POST", path, body)


def config_map(name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **more.pop("metadata", {})}, **more}


def widget(name: str, spec: Any, **more: Any) -> dict[str, Any]:
    head = {"apiVersion": "{group}/v1", "kind": "Widget"}
    return head | {"metadata": {"name": name, **more.pop("metadata", {})}, "spec": spec, **more}


LABELS = {"app": "x"}
CONTAINER = {"name": "main", "image": "registry/x:1"}
POD_SPEC = {
    "serviceAccountName": "default",
    "containers": [
        {
            **CONTAINER,
            "ports": [{"containerPort": 80, "name": "http"}],
            "env": [
                {"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ],
            "readinessProbe": {"httpGet": {"port": 80}},
            "livenessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 3},
            "startupProbe": {"tcpSocket": {"port": 80}},
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}},
            "volumeMounts": [{"name": "a", "mountPath": "/a"}],
            "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
        },
        {"name": "side", "image": "side"},
    ],
    "initContainers": [{"name": "init", "image": "init:latest"}],
    "volumes": [
        {"name": "a"},
        {"name": "b", "secret": {"secretName": "s"}},
        {"name": "c", "configMap": {"name": "c"}},
        {"name": "d", "hostPath": {"path": "/x"}},
        {"name": "e", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        {"name": "f", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"name": "g", "persistentVolumeClaim": {"claimName": "g"}},
    ],
    "affinity": {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": LABELS}, "topologyKey": "kubernetes.io/hostname"}
            ]
        }
    },
}
SIMPLE = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER]}}
STATEFUL = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "web", "labels": LABELS},
    "spec": {
        "serviceName": "web",
        "replicas": 2,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": POD_SPEC},
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }
        ],
    },
}
SMALL_SET = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "web"},
    "spec": {"serviceName": "web", "selector": {"matchLabels": LABELS}, "template": SIMPLE},
}


def deep(obj: dict[str, Any], *path: str, to: Any) -> dict[str, Any]:
    """A copy with one value changed (None takes it away)."""
    head, *rest = path
    out = dict(obj)
    if rest:
        out[head] = deep(out.get(head, {}), *rest, to=to)
    elif to is None:
        out.pop(head, None)
    else:
        out[head] = to
    return out


# fmt: off
SCENARIOS: dict[str, list[Step]] = {
    "configmap": [
        post(f"{CORE}/configmaps", config_map("a", data={"k": "v"}, metadata={"labels": LABELS})),
        post(f"{CORE}/configmaps", config_map("a")),
        step("GET", f"{CORE}/configmaps/a"),
        step("PUT", f"{CORE}/configmaps/a", config_map("a", data={"k": "w"})),
        step("PUT", f"{CORE}/configmaps/a", config_map("a", data={"k": "w"})),
        step("PUT", f"{CORE}/configmaps/a", config_map("a", metadata={"resourceVersion": "1"})),
        step("PUT", f"{CORE}/configmaps/a", config_map("a", metadata={"uid": "00000000-0000-0000-0000-000000000000"})),
        step("PATCH", f"{CORE}/configmaps/a", {"data": {"k": None, "l": "1"}}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a", {"data": {"l": "1"}}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a", {"metadata": {"resourceVersion": "1"}}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a", {"metadata": {"resourceVersion": "{rv}"}, "data": {"m": "2"}}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a", [{"op": "add", "path": "/data/a~1b", "value": "3"}], JSON),
        step("PATCH", f"{CORE}/configmaps/a", [{"op": "test", "path": "/data/m", "value": "9"}], JSON),
        step("PATCH", f"{CORE}/configmaps/a", [{"op": "remove", "path": "/data/none"}], JSON),
        step("PATCH", f"{CORE}/configmaps/a", {"metadata": {"labels": {"app": None, "b": "c"}}}, STRATEGIC),
        step("PATCH", f"{CORE}/configmaps/none", {"data": {}}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a?fieldValidation=Strict", {"bogus": 5}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a", {"data": {"k": 5}}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a?fieldValidation=Strict", {"bogus": 5}, STRATEGIC),
        step("PATCH", f"{CORE}/configmaps/a", {"metadata": {"name": "b"}}, MERGE),
        step("DELETE", f"{CORE}/configmaps/a", {"preconditions": {"uid": "x"}}),
        step("DELETE", f"{CORE}/configmaps/a", {"preconditions": {"resourceVersion": "1"}}),
        step("DELETE", f"{CORE}/configmaps/a?dryRun=All"),
        step("DELETE", f"{CORE}/configmaps/a", {"preconditions": {"uid": "{uid}"}}),
        step("DELETE", f"{CORE}/configmaps/a"),
        step("GET", f"{CORE}/configmaps/a"),
    ],
    "refusals": [
        post(f"{CORE}/configmaps", config_map("A_b")),
        post(f"{CORE}/configmaps", config_map("a", metadata={"labels": {"a b": "c", "d": "e f"}})),
        post(f"{CORE}/configmaps", {"metadata": {}}),
        post(f"{CORE}/configmaps", config_map("a", metadata={"namespace": "other"})),
        post("/api/v1/namespaces/none/configmaps", config_map("a")),
        post(f"{CORE}/configmaps", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}),
        post(f"{CORE}/configmaps", config_map("a", data={"k": 1})),
        post(f"{CORE}/configmaps", config_map("a", data={"k": {"a": "b"}})),
        post(f"{CORE}/configmaps", config_map("a", bogus=1)),
        post(f"{CORE}/configmaps?fieldValidation=Strict", config_map("b", bogus=1)),
        post(f"{CORE}/configmaps", config_map("c", metadata={"resourceVersion": "1"})),
        post(f"{CORE}/configmaps?dryRun=All", config_map("d")),
        step("GET", f"{CORE}/configmaps/d"),
        post(f"{CORE}/services", {"metadata": {"name": "1a"}, "spec": {"ports": [{"port": 1}]}}),
        step("GET", f"{CORE}/nothing"),
        step("GET", "/apis/nothing.io/v1/things"),
        step("PUT", f"{CORE}/configmaps/none", config_map("none")),
        step("PUT", f"{CORE}/configmaps/a", config_map("b")),
    ],
    "secret": [
        post(f"{CORE}/secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}, "data": {"c": "ZA=="}}),
        step("PATCH", f"{CORE}/secrets/s", {"stringData": {"a": "x"}}, MERGE),
        step("PATCH", f"{CORE}/secrets/s", {"type": "other"}, MERGE),
        step("DELETE", f"{CORE}/secrets/s"),
    ],
    "service": [
        post(f"{CORE}/services", {"metadata": {"name": "a"}, "spec": {"selector": LABELS, "ports": [{"port": 80}]}}),
        step("PATCH", f"{CORE}/services/a", {"spec": {"ports": [{"port": 81, "name": "b"}]}}, MERGE),
        step("PATCH", f"{CORE}/services/a", {"spec": {"clusterIP": "10.96.77.77"}}, MERGE),
        step("PUT", f"{CORE}/services/a", {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}),
        post(f"{CORE}/services", {"metadata": {"name": "h"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}),
        post(f"{CORE}/services", {"metadata": {"name": "n"}, "spec": {"clusterIP": "None"}}),
        post(f"{CORE}/services", {"metadata": {"name": "l"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 1}]}}),
        post(f"{CORE}/services", {"metadata": {"name": "e"}, "spec": {"type": "ExternalName", "externalName": "x.y"}}),
        post(f"{CORE}/services", {"metadata": {"name": "x"}, "spec": {"selector": LABELS}}),
        step("DELETE", f"{CORE}/services/a"),
    ],
    "statefulset": [
        post(f"{APPS}/statefulsets", STATEFUL),
        step("PUT", f"{APPS}/statefulsets/web", STATEFUL),
        step("PATCH", f"{APPS}/statefulsets/web", {"spec": {"serviceName": "other"}}, MERGE),
        step("PATCH", f"{APPS}/statefulsets/web", {"spec": {"replicas": 3}}, MERGE),
        step("PATCH", f"{APPS}/statefulsets/web", {"metadata": {"annotations": {"a": "b"}}}, MERGE),
        step("PATCH", f"{APPS}/statefulsets/web", {"status": {"replicas": 9}}, MERGE),
        step("PATCH", f"{APPS}/statefulsets/web/status", {"status": {"replicas": 2}, "spec": {"replicas": 8}}, MERGE),
        step("GET", f"{APPS}/statefulsets/web", None, TABLE),
        step("PATCH", f"{APPS}/statefulsets/web", {"spec": {"template": {"spec": {"containers": [
            {"name": "main", "image": "registry/x:2"}, {"name": "third", "image": "t"}]}}}}, STRATEGIC),
        step("PATCH", f"{APPS}/statefulsets/web", {"spec": {"template": {"spec": {
            "$setElementOrder/containers": [{"name": "third"}, {"name": "main"}],
            "containers": [{"name": "side", "$patch": "delete"}, {"name": "main", "env": [
                {"name": "A", "value": "2"}, {"name": "B", "$patch": "delete"}]}]}}}}, STRATEGIC),
        post(f"{APPS}/statefulsets", deep(SMALL_SET, "spec", "selector", to={"matchLabels": {"app": "y"}})),
        post(f"{APPS}/statefulsets", deep(SMALL_SET, "spec", "selector", to=None)),
        post(f"{APPS}/statefulsets", deep(SMALL_SET, "spec", "template", "spec", "containers", to=[])),
        post(f"{APPS}/statefulsets", deep(SMALL_SET, "spec", "replicas", to="x")),
        post(f"{APPS}/statefulsets", deep(SMALL_SET, "spec", to={})),
        step("DELETE", f"{APPS}/statefulsets/web", {"propagationPolicy": "Foreground"}),
        step("PATCH", f"{APPS}/statefulsets/web", {"metadata": {"finalizers": ["a.b/c"]}}, MERGE),
        step("PATCH", f"{APPS}/statefulsets/web", {"metadata": {"finalizers": None}}, MERGE),
        step("GET", f"{APPS}/statefulsets/web"),
    ],
    "pod": [
        post(f"{CORE}/pods", {"metadata": {"name": "p", "labels": LABELS}, "spec": POD_SPEC}),
        step("PATCH", f"{CORE}/pods/p", {"metadata": {"labels": {"role": "primary"}, "annotations": {"a": "b"}}}, STRATEGIC),
        step("PATCH", f"{CORE}/pods/p", {"spec": {"containers": [{"name": "main", "image": "new"}]}}, STRATEGIC),
        step("PATCH", f"{CORE}/pods/p", {"spec": {"hostname": "x"}}, STRATEGIC),
        step("PATCH", f"{CORE}/pods/p/status", {"status": {"phase": "Running", "podIP": "10.0.0.1", "conditions": [
            {"type": "Ready", "status": "False", "lastProbeTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}, STRATEGIC),
        step("PATCH", f"{CORE}/pods/p/status", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, STRATEGIC),
        step("GET", f"{CORE}/pods?fieldSelector=status.phase%3DRunning", None, TABLE),
        step("GET", f"{CORE}/pods?fieldSelector=spec.nodeName%3Dnone"),
        step("GET", f"{CORE}/pods/p/log?container=none"),
        step("GET", f"{CORE}/pods/p/log"),
        step("DELETE", f"{CORE}/pods/p"),
        step("GET", f"{CORE}/pods/p"),
        post(f"{CORE}/pods", {"metadata": {"name": "q"}, "spec": {"containers": [CONTAINER], "nodeName": "n1", "serviceAccountName": "default"}}),
        step("DELETE", f"{CORE}/pods/q"),
        step("DELETE", f"{CORE}/pods/q"),
        step("DELETE", f"{CORE}/pods/q", {"gracePeriodSeconds": 5}),
        step("DELETE", f"{CORE}/pods/q", {"gracePeriodSeconds": 0}),
        step("GET", f"{CORE}/pods/q"),
        post(f"{CORE}/pods", {"metadata": {"name": "r"}, "spec": {"containers": [
            {"name": "a"}, {"name": "a", "image": "b", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}}),
        post(f"{CORE}/pods", {"metadata": {"name": "r"}, "spec": {}}),
    ],
    "workloads": [
        post(f"{APPS}/deployments", {"metadata": {"name": "d"}, "spec": {
            "selector": {"matchLabels": LABELS}, "template": SIMPLE}}),
        step("PATCH", f"{APPS}/deployments/d", {"spec": {"selector": {"matchLabels": {"app": "z"}}}}, MERGE),
        step("PATCH", f"{APPS}/deployments/d", {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}, MERGE),
        step("GET", f"{APPS}/deployments", None, TABLE),
    ],
    "small-kinds": [
        post(f"{CORE}/persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "s", "resources": {"requests": {"storage": "2Gi"}}}}),
        step("PATCH", f"{CORE}/persistentvolumeclaims/c", {"spec": {"accessModes": ["ReadWriteMany"]}}, MERGE),
        step("GET", f"{CORE}/persistentvolumeclaims", None, TABLE),
        post(f"{CORE}/endpoints", {"metadata": {"name": "e"}, "subsets": [
            {"addresses": [{"ip": "10.1.1.1"}], "ports": [{"name": "p", "port": 5432}]}]}),
        step("PATCH", f"{CORE}/endpoints/e", {"metadata": {"annotations": {"leader": "a"}}, "subsets": [
            {"addresses": [{"ip": "10.1.1.2"}], "ports": [{"name": "p", "port": 5432}]}]}, STRATEGIC),
        step("PATCH", f"{CORE}/endpoints/e", {"metadata": {"annotations": {"leader": None}}, "subsets": []}, STRATEGIC),
        post("/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices", {"metadata": {"name": "s"}, "addressType": "IPv4",
             "endpoints": [{"addresses": ["10.1.1.1"]}], "ports": [{"port": 1}]}),
        post("/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", {"metadata": {"name": "p"}, "spec": {
            "minAvailable": 1, "selector": {"matchLabels": LABELS}}}),
        step("GET", "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", None, TABLE),
        post("/apis/coordination.k8s.io/v1/namespaces/{ns}/leases", {"metadata": {"name": "l"}, "spec": {
            "holderIdentity": "me", "leaseDurationSeconds": 15}}),
        post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles", {"metadata": {"name": "r:x"}, "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
        post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings", {"metadata": {"name": "b"}, "roleRef": {
            "kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}, "subjects": [
            {"kind": "ServiceAccount", "name": "s", "namespace": "x"}, {"kind": "User", "name": "u"}]}),
        step("PATCH", "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings/b", {"roleRef": {"name": "q"}}, MERGE),
        post(f"{CORE}/serviceaccounts", {"metadata": {"name": "sa"}}),
        step("DELETE", f"{CORE}/serviceaccounts/sa"),
        step("GET", "/api/v1/namespaces/{ns}"),
        step("GET", "/api/v1/namespaces/{ns}", None, TABLE),
    ],
    "custom": [
        post(WIDGETS, widget("a", {"team": "ABCDEFGH", "n": 10, "mode": "z", "ios": [], "list": ["a", "b", "c", 4]})),
        post(WIDGETS, widget("a", {"n": 10, "team": "", "map": {"a": 1}, "when": "x", "items": [{"v": 1}]})),
        post(WIDGETS, widget("a", {"team": "a", "items": [{"name": "x"}, {"name": "x"}], "set": ["a", "a"]})),
        post(WIDGETS, {"apiVersion": "{group}/v1", "kind": "Widget", "metadata": {"name": "a"}}),
        post(f"{WIDGETS}?fieldValidation=Strict", widget("a", {"team": "a", "bogus": 1}, metadata={"bogus": 1})),
        post(WIDGETS, widget("a", {"team": "abc", "bogus": 1, "free": {"x": 1}, "nul": None, "items": [{"name": "i"}],
                                   "ios": 5, "map": {"a": "b"}}, status={"s": 1}, metadata={"bogus": 1})),
        step("GET", f"{WIDGETS}/a"),
        step("PUT", f"{WIDGETS}/a", widget("a", {"team": "abc"})),
        step("PUT", f"{WIDGETS}/a", widget("a", {"team": "abc"}, metadata={"resourceVersion": "{rv}"})),
        step("PATCH", f"{WIDGETS}/a", {"spec": {"n": 3}}, MERGE),
        step("PATCH", f"{WIDGETS}/a", {"spec": {"n": 3}}, MERGE),
        step("PATCH", f"{WIDGETS}/a", {"metadata": {"labels": {"a": "b"}}}, MERGE),
        step("PATCH", f"{WIDGETS}/a", {"spec": {"n": 99}}, MERGE),
        step("PATCH", f"{WIDGETS}/a?fieldValidation=Strict", {"spec": {"bogus": 5}}, MERGE),
        step("PATCH", f"{WIDGETS}/a", {"spec": {"n": 4}}, STRATEGIC),
        step("PATCH", f"{WIDGETS}/a", {"status": {"n": 7}}, MERGE),
        step("PATCH", f"{WIDGETS}/a/status", {"status": {"n": 7}, "spec": {"n": 1}}, MERGE),
        step("GET", f"{WIDGETS}", None, TABLE),
        step("GET", f"{WIDGETS}?labelSelector=a%3Db"),
        step("GET", f"{WIDGETS}?labelSelector=a+notin+(b)"),
        step("GET", f"{WIDGETS}?fieldSelector=metadata.name%3Da"),
        step("DELETE", WIDGETS),
        step("GET", WIDGETS),
    ],
    "apply": [
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=one", config_map("a", data={"k": "v", "l": "1"}), APPLY),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=one", config_map("a", data={"k": "v", "l": "1"}), APPLY),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=two", config_map("a", data={"k": "w"}), APPLY),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=two", config_map("a", data={"k": "v"}), APPLY),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=two&force=true", config_map("a", data={"k": "w"}), APPLY),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=one", config_map("a", data={"m": "2"}), APPLY),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=hand", {"data": {"m": "3", "n": "4"}}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=one", config_map("a", data={"m": "2"}), APPLY),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=one", config_map("a"), APPLY),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=two", config_map("a"), APPLY),
        step("PATCH", f"{CORE}/configmaps/a", config_map("a"), APPLY),
        step("PATCH", f"{CORE}/configmaps/a?fieldManager=one", config_map("a", bogus={"m": "2"}), APPLY),
        step("PATCH", f"{CORE}/configmaps/b?fieldManager=one&dryRun=All", config_map("b"), APPLY),
        step("GET", f"{CORE}/configmaps/b"),
        step("PATCH", f"{APPS}/statefulsets/web?fieldManager=one", STATEFUL, APPLY),
        step("PATCH", f"{APPS}/statefulsets/web?fieldManager=one", STATEFUL, APPLY),
        step("PATCH", f"{APPS}/statefulsets/web?fieldManager=hand", {"spec": {"replicas": 4, "template": {"spec": {
            "containers": [{"name": "foreign", "image": "f"}]}}}}, STRATEGIC),
        step("PATCH", f"{APPS}/statefulsets/web?fieldManager=one", STATEFUL, APPLY),
        step("PATCH", f"{APPS}/statefulsets/web?fieldManager=one", deep(STATEFUL, "spec", "replicas", to=None), APPLY),
        step("PATCH", f"{APPS}/statefulsets/web?fieldManager=one&force=true", STATEFUL, APPLY),
        step("PATCH", f"{APPS}/statefulsets/web?fieldManager=one", deep(
            STATEFUL, "spec", "template", "spec", "containers", to=POD_SPEC["containers"][:1]), APPLY),
        step("PATCH", f"{APPS}/statefulsets/web/status?fieldManager=node", {"apiVersion": "apps/v1", "kind": "StatefulSet",
             "metadata": {"name": "web"}, "status": {"replicas": 2}}, APPLY),
        step("PATCH", f"{WIDGETS}/a?fieldManager=one", widget("a", {"team": "abc", "items": [
            {"name": "x", "w": "1"}, {"name": "y"}], "set": ["a", "b"], "map": {"k": "v"}}), APPLY),
        step("PATCH", f"{WIDGETS}/a?fieldManager=two", widget("a", {"items": [
            {"name": "x", "v": 2}, {"name": "z"}], "set": ["b", "c"], "map": {"l": "w"}}), APPLY),
        step("PATCH", f"{WIDGETS}/a?fieldManager=one", widget("a", {"team": "abc", "items": [{"name": "y"}],
             "set": ["a"]}), APPLY),
        step("PATCH", f"{WIDGETS}/a/status?fieldManager=one", widget("a", {"team": "zzz"}, status={"c": [1], "d": {
            "e": 1}}), APPLY),
        step("PATCH", f"{WIDGETS}/a?fieldManager=one", widget("a", {"team": "X"}), APPLY),
        post(f"{CORE}/services?fieldManager=hand", {"metadata": {"name": "s"}, "spec": {"ports": [
            {"port": 80, "name": "a"}, {"port": 80, "protocol": "UDP", "name": "b"}]}}),
        step("PATCH", f"{CORE}/services/s?fieldManager=one", {"apiVersion": "v1", "kind": "Service", "metadata": {
            "name": "s"}, "spec": {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "c"}]}}, APPLY),
    ],
    "deletion": [
        post(f"{CORE}/configmaps", config_map("a", metadata={"finalizers": ["x.io/f"], "labels": LABELS})),
        step("DELETE", f"{CORE}/configmaps/a"),
        step("DELETE", f"{CORE}/configmaps/a"),
        step("PATCH", f"{CORE}/configmaps/a", {"metadata": {"finalizers": ["x.io/f", "x.io/g"]}}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a", {"data": {"still": "here"}}, MERGE),
        step("PATCH", f"{CORE}/configmaps/a", {"metadata": {"finalizers": []}}, MERGE),
        step("GET", f"{CORE}/configmaps/a"),
        post(WIDGETS, widget("o", {"team": "a"})),
        step("DELETE", f"{WIDGETS}/o?propagationPolicy=Orphan"),
        step("PATCH", f"{WIDGETS}/o", {"metadata": {"finalizers": None}}, MERGE),
        step("GET", f"{WIDGETS}/o"),
        post(WIDGETS, widget("b", {"team": "a"})),
        step("DELETE", f"{WIDGETS}/b?propagationPolicy=Nonsense"),
        step("DELETE", f"{WIDGETS}/b", {"propagationPolicy": "Background", "kind": "DeleteOptions", "apiVersion": "v1"}),
        post(f"{CORE}/configmaps", config_map("k1", metadata={"labels": LABELS})),
        post(f"{CORE}/configmaps", config_map("k2")),
        step("DELETE", f"{CORE}/configmaps?labelSelector=app%3Dx"),
        step("GET", f"{CORE}/configmaps?fieldSelector=metadata.name%3Dk2"),
    ],
    "lists": [
        *(post(f"{CORE}/secrets", {"metadata": {"name": f"s{n}", "labels": {"n": str(n)}}}) for n in range(5)),
        step("GET", f"{CORE}/secrets?limit=2"),
        post(f"{CORE}/secrets", {"metadata": {"name": "s3a"}}),
        step("DELETE", f"{CORE}/secrets/s4"),
        step("GET", f"{CORE}/secrets?limit=2&continue={{continue}}"),
        step("GET", f"{CORE}/secrets?limit=2&continue={{continue}}"),
        step("GET", f"{CORE}/secrets?labelSelector=n+in+(1,2),n!%3D2"),
        step("GET", f"{CORE}/secrets?labelSelector=!n"),
        step("GET", f"{CORE}/secrets?labelSelector=n,n%3D%3D3"),
        step("GET", f"{CORE}/secrets?fieldSelector=nothing%3D1"),
        step("GET", f"{CORE}/secrets?resourceVersion=999999999"),
        step("GET", f"{CORE}/secrets?resourceVersion=nonsense"),
        step("GET", f"{CORE}/secrets/s1", None, TABLE),
        step("GET", f"{CORE}/configmaps?watch=true&resourceVersion=nonsense"),
    ],
}
