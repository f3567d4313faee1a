"""From bytes to views: what servers really send, including what Go's JSON does to empty things."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pgherd.errors import AlreadyExists, Conflict, Forbidden, Gone, Invalid, KubernetesError, NotFound, Overloaded
from pgherd.facts.config_and_storage import SecretObject
from pgherd.facts.metadata import Metadata
from pgherd.facts.pods import ContainerState, Pod
from pgherd.facts.postgresql import Postgresql
from pgherd.facts.secret import Secret
from pgherd.facts.view import fields
from pgherd.facts.workloads import StatefulSet
from pgherd.kube import answers, views
from pgherd.kube.resources import PODS, RESOURCES


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_every_view_reads_an_object_of_which_it_knows_nothing() -> None:
    body = encoded({"apiVersion": "x/v1", "kind": "Y", "metadata": {"name": "a", "labels": {"b": "c"}, "new": [1]}})
    for resource in RESOURCES:
        view = views.decode(resource.view, body)
        assert (view.metadata.name, view.metadata.labels) == ("a", {"b": "c"})


def test_nulls_read_as_absent() -> None:
    body = encoded(
        {
            "metadata": {"name": "a", "creationTimestamp": None, "labels": None, "ownerReferences": None},
            "spec": {"containers": None},
            "status": {"conditions": None, "containerStatuses": [{"name": "c", "state": None}]},
        }
    )
    pod = views.decode(Pod, body)
    assert pod.spec.containers == ()
    assert pod.metadata.labels == {}
    (container,) = pod.status.container_statuses
    assert container.state == ContainerState()


def test_the_status_of_an_old_resource_may_be_a_bare_string() -> None:
    view = views.decode(Postgresql, encoded({"metadata": {"name": "a"}, "spec": {"teamId": "x"}, "status": "Running"}))
    assert msgspec.json.decode(view.status) == "Running"
    assert fields(view.status) == {}
    assert fields(view.spec) == {"teamId": "x"}


def test_what_is_kept_does_not_keep_the_whole_answer() -> None:
    """A msgspec.Raw that was not copied holds on to the buffer of its page."""
    filler = "x" * 1_000_000
    body = encoded({"metadata": {"name": "a", "managedFields": []}, "filler": filler, "spec": {"template": {"a": 1}}})
    view = views.decode(StatefulSet, body)
    kept = view.spec.template
    assert fields(kept) == {"a": 1}
    assert memoryview(kept).nbytes < 20
    assert memoryview(kept).obj is not body
    assert memoryview(view.metadata.managed_fields).nbytes == 0


def test_one_unreadable_object_does_not_hide_the_others() -> None:
    good = {"metadata": {"name": "good", "namespace": "n"}}
    bad = {"metadata": {"name": "bad", "namespace": "n"}, "status": {"phase": 7}}
    worse = {"metadata": 7}
    page, odd = views.page(Pod, encoded({"metadata": {"resourceVersion": "5"}, "items": [good, bad, worse]}))
    assert [pod.metadata.name for pod in page.items] == ["good"]
    assert page.metadata.resource_version == "5"
    assert len(odd) == 2
    assert odd[0].startswith("n/bad: Expected `str`, got `int`")


def test_secret_values_are_text_inside_and_never_outside() -> None:
    view = views.decode(SecretObject, encoded({"metadata": {}, "data": {"a": "w6Q=", "binary": "//79"}}))
    assert view.data["a"] == Secret("ä")
    assert view.data["binary"].reveal() == "\ufffd\ufffd\ufffd"
    assert "ä" not in repr(view)
    with pytest.raises(TypeError):
        msgspec.json.encode(view)


def test_what_is_sent_is_plain_and_anything_else_is_refused() -> None:
    assert json.dumps(views.plain({"a": (1, 2), "s": Secret("x")})) == '{"a": [1, 2], "s": "x"}'
    with pytest.raises(TypeError, match="object is not part of a manifest"):
        views.plain({"a": object()})


def test_equal_labels_and_owners_are_kept_once() -> None:
    body = encoded({"name": "a", "namespace": "n", "labels": {"b": "c"}, "ownerReferences": [{"uid": "u"}]})
    one, other = (msgspec.json.decode(body, type=Metadata) for _ in range(2))
    assert one.labels is other.labels
    assert one.owner_references is other.owner_references
    assert one.namespace is other.namespace
    different = msgspec.json.decode(body.replace(b'"c"', b'"d"'), type=Metadata)
    assert different.labels == {"b": "d"}


def test_versions_are_numbers_and_anything_else_is_none() -> None:
    assert Metadata(resource_version="123").version == 123
    assert Metadata(resource_version="").version == Metadata(resource_version="abc").version == 0


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", Invalid),
        (401, "Unauthorized", Forbidden),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (409, "Conflict", Conflict),
        (409, "AlreadyExists", AlreadyExists),
        (410, "Expired", Gone),
        (410, "Gone", Gone),
        (418, "Teapot", KubernetesError),
        (422, "Invalid", Invalid),
        (429, "TooManyRequests", Overloaded),
        (500, "InternalError", Overloaded),
        (503, "ServiceUnavailable", Overloaded),
        (504, "Timeout", Overloaded),
    ],
)
def test_refusals_by_code_and_reason(code: int, reason: str, expected: type[KubernetesError]) -> None:
    status = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": "because"}
    error = answers.refusal("get Pod a/b", code, encoded(status), {})
    assert type(error) is expected
    assert str(error) == f"get Pod a/b: because ({code})"
    assert (error.code, error.reason, error.retry_after) == (code, reason, None)


def test_a_version_of_another_history_reads_as_gone() -> None:
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    status = {"code": 504, "reason": "Timeout", "message": "Too large", "details": {"causes": causes}}
    assert type(answers.refusal("list pods", 504, encoded(status), {})) is Gone


def test_what_stands_in_front_of_a_server_may_answer_anything() -> None:
    error = answers.refusal("list pods", 502, b"<html>Bad gateway</html>" + b"x" * 1000, {})
    assert type(error) is Overloaded
    assert "<html>Bad gateway</html>" in str(error)
    assert len(str(error)) < 300


def test_retry_after_is_a_number_a_date_or_in_the_status() -> None:
    def seconds(value: str, body: bytes = b"{}") -> float | None:
        return answers.refusal("list pods", 429, body, {"Retry-After": value} if value else {}).retry_after

    assert seconds("7") == 7
    assert seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert seconds("soon") is None
    assert seconds("") is None
    assert seconds("", encoded({"code": 429, "details": {"retryAfterSeconds": 3}})) == 3


def test_paths_follow_the_scope() -> None:
    assert PODS.path() == "/api/v1/pods"
    assert PODS.at("n", "a").path == "/api/v1/namespaces/n/pods/a"
    assert str(PODS.at("n", "a")) == "Pod n/a"
