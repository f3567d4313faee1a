from __future__ import annotations

from pgherd.cli.differences import differences


def test_fields_are_named_as_in_yaml_and_lists_of_named_things_by_name() -> None:
    before = {
        "metadata": {"name": "a", "resourceVersion": "1", "labels": {"x": "1", "y": "2"}},
        "spec": {"replicas": 2, "containers": [{"name": "postgres", "image": "a:1"}, {"name": "side", "image": "b"}]},
        "status": {"ready": 1},
    }
    after = {
        "metadata": {"name": "a", "resourceVersion": "2", "labels": {"x": "1", "z": "3"}},
        "spec": {"replicas": 3, "containers": [{"name": "postgres", "image": "a:2"}], "paused": True},
        "status": {"ready": 2},
    }
    assert differences("StatefulSet", before, after) == [
        'metadata.labels.y: - "2"',
        'metadata.labels.z: + "3"',
        "spec.replicas: 2 → 3",
        'spec.containers.postgres.image: "a:1" → "a:2"',
        'spec.containers.side: - {"name": "side", "image": "b"}',
        "spec.paused: + true",
    ]


def test_nothing_of_a_secret_is_shown() -> None:
    before = {"metadata": {"name": "a"}, "data": {"password": "b2xk"}}
    after = {"metadata": {"name": "a"}, "data": {"password": "bmV3", "other": "eA=="}}
    told = "\n".join(differences("Secret", before, after))
    assert told == "data.password: <redacted> → <redacted>\ndata.other: + <redacted>"


def test_passwords_elsewhere_are_not_shown_either() -> None:
    told = differences("ConfigMap", {"data": {"a_password": "one"}}, {"data": {"a_password": "two"}})
    assert told == ["data.a_password: <redacted> → <redacted>"]
