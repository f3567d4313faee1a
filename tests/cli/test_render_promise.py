"""A person can take any documented manifest of the reference, render it, and see nothing missing.

The worked examples of the specification (objects.md 17 to 19) go through the command as files, and the manifests of the
reference that the specification only describes are listed with every object that they lead to (objects.md 1.1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from api.manifests import full, minimal
from desired.contexts import SAMPLE
from golden.files import ROOT, identity, load, objects
from golden.normalise import normalised
from pgherd.api.options import all_options
from pgherd.cli.application import app

SHARED = {"ServiceAccount/postgres-pod", "RoleBinding/postgres-pod"}
CREDENTIALS = "credentials.postgresql.acid.zalan.do"
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "a": {},
    "b": load("b", "configuration.yaml"),
    "c": {"kubernetes_use_configmaps": False},
}
IN_THE_CLUSTER_ONLY = {"USE_WALG_BACKUP", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
"""Variables of example B that stand in the ConfigMap and the Secret that its configuration names."""


def rendered(folder: Path, manifest: dict[str, Any], **options: Any) -> dict[str, dict[str, Any]]:
    """What the command prints, by ``Kind/name``; ``options`` are those of the configuration by leaf key."""
    sections: dict[str, Any] = {}
    paths = {option.key: option for option in all_options().values()}
    for key, value in options.items():
        section = paths[key].section
        (sections.setdefault(section, {}) if section else sections)[key] = value
    configuration = {"apiVersion": "acid.zalan.do/v1", "kind": "OperatorConfiguration", "metadata": {"name": "c"}}
    (folder / "operator.yaml").write_text(yaml.safe_dump({**configuration, "configuration": sections}))
    (folder / "cluster.yaml").write_text(yaml.safe_dump(manifest))
    words = ["render", "-f", str(folder / "cluster.yaml"), "--config", str(folder / "operator.yaml")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, (result.output, result.exception)
    return {identity(one): one for one in yaml.safe_load_all(result.stdout)}


@pytest.mark.parametrize("example", CONFIGURATIONS)
def test_worked_example_as_a_file(tmp_path: Path, example: str) -> None:
    seen = rendered(tmp_path, load(example, "input.yaml"), **{**SAMPLE, **CONFIGURATIONS[example]})
    expected = objects(example)
    assert set(seen) == set(expected) | SHARED
    for name, wanted in expected.items():
        assert comparable(seen[name]) == comparable(wanted), name


def comparable(manifest: dict[str, Any]) -> dict[str, Any]:
    """Without what only a cluster knows: passwords, the uid of the resource, content of named objects."""
    content = {**manifest.get("data", {}), **manifest.get("stringData", {})}
    if manifest["kind"] == "Secret":
        manifest = {key: value for key, value in manifest.items() if key not in ("data", "stringData")}
    plain = normalised(manifest)
    plain.get("metadata", {}).pop("ownerReferences", None)
    _without_cluster(plain)
    return {**plain, "keys": sorted(content)}


def _without_cluster(value: Any) -> None:
    if isinstance(value, list):
        for one in value:
            _without_cluster(one)
    elif isinstance(value, dict):
        if isinstance(value.get("env"), list):
            value["env"] = [
                {**entry, "value": ""} if str(entry.get("name")).endswith("_SCOPE_SUFFIX") else entry
                for entry in value["env"]
                if entry.get("name") not in IN_THE_CLUSTER_ONLY
            ]
        for one in value.values():
            _without_cluster(one)


def named(cluster: str, *secrets: str, more: tuple[str, ...] = ()) -> set[str]:
    """What every cluster has, the Secrets of its further roles, and more."""
    return {
        *SHARED,
        f"Service/{cluster}",
        f"Service/{cluster}-repl",
        f"StatefulSet/{cluster}",
        f"PodDisruptionBudget/postgres-{cluster}-pdb",
        f"PodDisruptionBudget/postgres-{cluster}-critical-op-pdb",
        *(f"Secret/{role}.{cluster}.{CREDENTIALS}" for role in ("postgres", "standby", *secrets)),
        *more,
    }


def pooler(cluster: str) -> tuple[str, ...]:
    return (f"Deployment/{cluster}", f"Service/{cluster}", f"Secret/{cluster}-u")


def lowest() -> dict[str, Any]:
    """The reference's smallest manifest with the lowest version."""
    manifest = minimal()
    manifest["spec"]["postgresql"]["version"] = "14"
    return manifest


MINIMAL_SECRETS = ("zalando", "foo-user")
DOCUMENTED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "minimal": (minimal(), named("acid-minimal-cluster", *MINIMAL_SECRETS)),
    "lowest version": (lowest(), named("acid-minimal-cluster", *MINIMAL_SECRETS)),
    "clone of a live cluster": (
        minimal(clone={"cluster": "acid-batman"}),
        named("acid-minimal-cluster", *MINIMAL_SECRETS),
    ),
    "clone at a time": (
        minimal(
            clone={
                "cluster": "acid-batman",
                "timestamp": "2026-12-19T12:40:33+01:00",
                "uid": "efd12e58-5786-11e8-b5a7-06148230260c",
            }
        ),
        named("acid-minimal-cluster", *MINIMAL_SECRETS),
    ),
    "standby of a host": (
        minimal(standby={"standby_host": "acid-source.default", "standby_port": "5432"}, numberOfInstances=1),
        named("acid-minimal-cluster", *MINIMAL_SECRETS),
    ),
    "standby of an archive": (
        minimal(standby={"s3_wal_path": "s3://bucket/spilo/acid-source/uid/wal/17"}, numberOfInstances=1),
        named("acid-minimal-cluster", *MINIMAL_SECRETS),
    ),
    "pooler": (
        minimal(enableConnectionPooler=True),
        named("acid-minimal-cluster", *MINIMAL_SECRETS, "pooler", more=pooler("acid-minimal-cluster-pooler")),
    ),
    "streams": (
        minimal(
            streams=[
                {"applicationId": "app", "database": "foo", "tables": {"data.t": {"eventType": "e"}}},
                {"applicationId": "app", "database": "foo", "tables": {"u": {"eventType": "e"}}},
                {"applicationId": "other", "database": "foo", "tables": {"v": {"eventType": "e"}}},
            ]
        ),
        named("acid-minimal-cluster", *MINIMAL_SECRETS, "fes-user", more=("FabricEventStream/acid-minimal-cluster-*",)),
    ),
    "complete": (
        full(),
        named(
            "acid-full",
            *("zalando", "foo-user", "other.app", "pooler", "fes-user"),
            *("bar-owner-user", "bar-reader-user", "bar-writer-user"),
            more=(
                *pooler("acid-full-pooler"),
                *pooler("acid-full-pooler-repl"),
                "CronJob/logical-backup-acid-full",
                "FabricEventStream/acid-full-*",
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_object_of_a_documented_manifest_is_there(tmp_path: Path, name: str) -> None:
    manifest, expected = DOCUMENTED[name]
    seen = rendered(tmp_path, manifest, **SAMPLE)
    streams = [one for one in seen if one.startswith("FabricEventStream/")]
    applications = {stream["applicationId"] for stream in manifest["spec"].get("streams", ())}
    assert len(streams) == len(applications)
    assert {f"{one[:-5]}*" if one in streams else one for one in seen} == expected


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("clone of a live cluster", {"CLONE_SCOPE", "CLONE_METHOD", "CLONE_HOST", "CLONE_PORT", "CLONE_USER"}),
        ("clone at a time", {"CLONE_SCOPE", "CLONE_METHOD", "CLONE_TARGET_TIME", "CLONE_WAL_BUCKET_SCOPE_SUFFIX"}),
        ("standby of a host", {"STANDBY_HOST", "STANDBY_PORT"}),
        ("standby of an archive", {"STANDBY_WALE_S3_PREFIX", "STANDBY_METHOD", "STANDBY_WAL_BUCKET_SCOPE_PREFIX"}),
        ("complete", {"SSL_CERTIFICATE_FILE", "SSL_PRIVATE_KEY_FILE", "SSL_CA_FILE", "CLONE_AWS_S3_FORCE_PATH_STYLE"}),
    ],
)
def test_pods_get_the_variables_of_their_kind(tmp_path: Path, name: str, variables: set[str]) -> None:
    seen = rendered(tmp_path, DOCUMENTED[name][0], **SAMPLE)
    (statefulset,) = [one for one in seen.values() if one["kind"] == "StatefulSet"]
    container = statefulset["spec"]["template"]["spec"]["containers"][0]
    assert variables <= {entry["name"] for entry in container["env"]}


def test_examples_are_all_here() -> None:
    assert {folder.name for folder in ROOT.iterdir() if (folder / "input.yaml").is_file()} == set(CONFIGURATIONS)
