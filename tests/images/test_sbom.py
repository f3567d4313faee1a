"""The list of what an image holds: legal CycloneDX, and complete."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from images.containers import ROOT, image_name, run


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("images_sbom", ROOT / "images/sbom/sbom.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def names(text: str) -> set[str]:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return {component["purl"] for component in json.loads(text)["components"]}


def test_what_is_listed(sbom: ModuleType, tmp_path: Path) -> None:
    program = tmp_path / "18/bin/pg_config"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho PostgreSQL 18.1\n")
    program.chmod(0o755)
    metadata = tmp_path / "Some_Package-1.0+x.dist-info/METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: Some_Package\nVersion: 1.0+x\n")
    found = [
        *sbom.debian("libc6 2.41-12+deb13u1 amd64\ntzdata 2026a-0+deb13u1 all\n"),
        *sbom.python(str(tmp_path)),
        *sbom.postgresql(tmp_path),
        *sbom.extensions('[{"purl": "pkg:deb/debian/postgresql-18-cron@1.6.8-1?arch=amd64", "majors": [18]}]'),
    ]
    lacking = sbom.lacking('{"18": {"extensions": {}, "lacks": ["bg_mon"], "built without": []}}')
    text = sbom.bill("image", "1", iter(found), lacking)
    assert json.loads(text)["metadata"]["component"]["properties"] == [
        {"name": "pgherd:postgresql-18:lacks", "value": "bg_mon"}
    ]
    assert names(text) == {
        "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=amd64",
        "pkg:deb/debian/tzdata@2026a-0%2Bdeb13u1?arch=all",
        "pkg:generic/postgresql@18.1",
        "pkg:pypi/some-package@1.0%2Bx",
        "pkg:deb/debian/postgresql-18-cron@1.6.8-1?arch=amd64",
    }


def test_the_image_says_what_is_in_it(image: tuple[str, Path]) -> None:
    _, root = image
    listed = {unquote(one) for one in names((root / "usr/share/pgherd/sbom.cdx.json").read_text())}
    packages = run("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Package}\n").split()
    unpacked = root / "usr/share/pgherd/extension-origins.json"
    beside = {one["purl"] for one in json.loads(unpacked.read_text())} if unpacked.exists() else set()
    packages += [unquote(one).partition("@")[0].rpartition("/")[2] for one in beside if "pkg:deb" in one]
    assert {one.partition("@")[0].rpartition("/")[2] for one in listed if "pkg:deb" in one} == set(packages)
    assert {unquote(one) for one in beside} <= listed
    python = root / "opt/pgherd/lib/python3.13/site-packages"
    assert sum("pkg:pypi" in one for one in listed) == len(list(python.glob("*.dist-info")))
    majors = {path.name for path in (root / "usr/lib/postgresql").glob("*")}
    assert {one.partition("@")[2].partition(".")[0] for one in listed if "generic/postgresql@" in one} == majors


def test_the_image_says_what_it_is(image: tuple[str, Path]) -> None:
    described = json.loads(run("buildah", "inspect", "--type", "image", image_name(image[0])))
    labels = described["OCIv1"]["config"]["Labels"]
    wanted = ("title", "description", "licenses", "vendor", "version", "revision", "base.name")
    assert all(labels.get(f"org.opencontainers.image.{key}") for key in wanted)
