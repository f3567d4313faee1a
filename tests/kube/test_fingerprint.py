"""Fingerprints without a server; test_ownership.py compares them with real ones."""

from __future__ import annotations

import importlib.util
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube.manifests import config_map, service, stateful_set
from pgherd.facts import fingerprint
from pgherd.facts.metadata import Metadata
from pgherd.facts.secret import Secret

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda some: st.lists(some) | st.dictionaries(st.text(), some),
)


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(list(value))}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(st.dictionaries(st.text(), JSON))
def test_intent_depends_on_the_content_and_not_on_the_order_of_keys(content: dict[str, Any]) -> None:
    manifest = {"kind": "ConfigMap", "metadata": {"name": "a"}, "spec": content}
    assert fingerprint.intent(manifest) == fingerprint.intent(shuffled(manifest))
    assert fingerprint.intent(manifest) != fingerprint.intent({**manifest, "spec": {**content, "one more": 1}})


def test_stamping_changes_neither_the_manifest_nor_its_intent() -> None:
    manifest = config_map("a", "default", x="y")
    before = deepcopy(manifest)
    stamped = fingerprint.stamped(manifest)
    assert manifest == before
    assert stamped["metadata"]["annotations"] == {fingerprint.APPLIED: fingerprint.intent(manifest)}
    del stamped["metadata"]["annotations"]
    assert stamped == manifest


def test_field_set_follows_the_rules_of_server_side_apply() -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "c",
            "namespace": "default",
            "labels": {"a": "b"},
            "finalizers": ["example.com/hold"],
            "ownerReferences": [{"uid": "u", "kind": "postgresql", "name": "c", "apiVersion": "acid.zalan.do/v1"}],
        },
        "spec": {
            "selector": {"owned": "as a whole"},
            "ports": [{"port": 5432, "name": "postgresql"}],
            "loadBalancerSourceRanges": ["10.0.0.0/8"],
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 1}},
            "externalIPs": [],
        },
    }
    assert fingerprint.field_set(manifest) == {
        "f:metadata": {
            "f:labels": {"f:a": {}},
            "f:finalizers": {'v:"example.com/hold"': {}},
            "f:ownerReferences": {'k:{"uid":"u"}': {}},
        },
        "f:spec": {
            "f:selector": {},
            "f:ports": {'k:{"port":5432,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:name": {}}},
            "f:loadBalancerSourceRanges": {},
            "f:sessionAffinityConfig": {"f:clientIP": {"f:timeoutSeconds": {}}},
            "f:externalIPs": {},
        },
    }


def test_an_empty_list_with_keys_owns_nothing() -> None:
    empty = service("c", "default", ports=[])
    without = service("c", "default")
    del without["spec"]["ports"]
    assert fingerprint.field_set(empty) == fingerprint.field_set(without)


def entry(manager: str, operation: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, "fieldsType": "FieldsV1", **more}


def decoded(manifest: dict[str, Any], *entries: dict[str, Any]) -> Metadata:
    stamped = fingerprint.stamped(manifest)
    own = entry(fingerprint.MANAGER, "Apply", fingerprint.field_set(stamped))
    wire = {**stamped["metadata"], "managedFields": [own, *entries]}
    return msgspec.json.decode(msgspec.json.encode(wire), type=Metadata)


def test_current_when_both_digests_agree() -> None:
    manifest = stateful_set("c", "default")
    live = decoded(manifest, entry("kube-controller-manager", "Update", {"f:status": {}}, subresource="status"))
    assert fingerprint.is_current(live.annotations, live.ownership, manifest)
    assert live.updated_by == ()
    assert bytes(live.managed_fields) == b""


def test_not_current_after_any_difference() -> None:
    manifest = stateful_set("c", "default")
    live = decoded(manifest)

    def current(annotations: dict[str, str], owned: bytes, wanted: dict[str, Any]) -> bool:
        return fingerprint.is_current(annotations, owned, wanted)

    changed = deepcopy(manifest)
    changed["spec"]["replicas"] = 3
    assert not current(live.annotations, live.ownership, changed), "another intent"
    assert not current({}, live.ownership, manifest), "the annotation was removed"
    assert not current(live.annotations, b"", manifest), "our entry is gone"
    stolen = fingerprint.field_set(fingerprint.stamped(manifest))
    del stolen["f:spec"]["f:replicas"]
    wire = {"annotations": live.annotations, "managedFields": [entry(fingerprint.MANAGER, "Apply", stolen)]}
    edited = msgspec.json.decode(msgspec.json.encode(wire), type=Metadata)
    assert not current(edited.annotations, edited.ownership, manifest), "somebody took a field"


def test_who_else_updates_is_known_for_adoption() -> None:
    go_operator = entry("postgres-operator", "Update", {"f:spec": {}})
    live = decoded(service("c", "default"), go_operator, entry("kubelet", "Update", {}, subresource="status"))
    assert live.updated_by == ("postgres-operator",)


def test_objects_that_we_never_applied_own_nothing() -> None:
    wire = {"name": "a", "managedFields": [entry("kubectl", "Apply", {"f:data": {}})]}
    live = msgspec.json.decode(msgspec.json.encode(wire), type=Metadata)
    assert live.ownership == b""


def test_learned_ownership_only_saves_work() -> None:
    manifest = service("c", "default")
    answered = b"another division of fields"
    annotations = fingerprint.stamped(manifest)["metadata"]["annotations"]
    learned: dict[fingerprint.Learned, None] = {}
    assert not fingerprint.is_current(annotations, answered, manifest, learned)
    fingerprint.learn(learned, answered, manifest)
    assert fingerprint.is_current(annotations, answered, manifest, learned)
    assert not fingerprint.is_current(annotations, b"and then edited", manifest, learned)
    assert not fingerprint.is_current(annotations, answered, service("c", "default", type="NodePort"), learned)


def test_learning_what_the_types_say_anyway_costs_no_memory() -> None:
    learned: dict[fingerprint.Learned, None] = {}
    manifest = service("c", "default")
    fingerprint.learn(learned, fingerprint.ownership(fingerprint.stamped(manifest)), manifest)
    fingerprint.learn(learned, b"", manifest)
    assert learned == {}


def secret(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}, "data": data}


def test_values_of_secrets_enter_no_digest() -> None:
    one, other = secret(password="b25l"), secret(password=Secret("b3RoZXI="))
    assert fingerprint.intent(one) == fingerprint.intent(other) != fingerprint.intent(secret(token="b25l"))
    assert fingerprint.ownership(one) == fingerprint.ownership(other)
    with pytest.raises(TypeError):
        fingerprint.intent({"kind": "ConfigMap", "data": {"password": Secret("x")}})


def test_values_of_secrets_are_compared_as_such() -> None:
    live = {"password": Secret("one"), "more": Secret("theirs")}
    assert fingerprint.same_data(live, secret(password="b25l"))
    assert fingerprint.same_data(live, secret(password=Secret("b25l")))
    assert not fingerprint.same_data(live, secret(password=Secret("b3RoZXI=")))
    assert not fingerprint.same_data({}, secret(password="b25l"))


def test_the_shipped_list_types_are_what_the_script_writes(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    spec = importlib.util.spec_from_file_location("hack_list_types", root / "hack/list_types.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written: dict[str, Any] = {}
    exec(script.module(), written)  # noqa: S102
    from pgherd.facts import list_types

    assert (written["DEFINITIONS"], written["KINDS"]) == (list_types.DEFINITIONS, list_types.KINDS)
