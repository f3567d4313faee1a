"""What the programs of the database image's build decide, without building it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from images.containers import ROOT
from localkube.node.packages import PINS

Recipe = Callable[[str], ModuleType]


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """They import each other by their bare names, as they lie in one folder of the build."""
    folder = ROOT / "images/postgres"
    monkeypatch.syspath_prepend(str(folder))
    yield importlib.import_module
    for file in folder.glob("*.py"):
        sys.modules.pop(file.stem, None)


def test_what_the_archive_lacks_is_left_out_and_said(recipe: Recipe, capsys: pytest.CaptureFixture[str]) -> None:
    packages = recipe("debian_packages")
    known = {
        "postgresql-17",
        "postgresql-17-jit",
        "postgresql-17-cron",
        "postgresql-plpython3-17",
        "postgresql-18-cron",
    }
    chosen = packages.chosen("17", known)
    assert chosen == ["postgresql-17", "postgresql-17-jit", "postgresql-17-cron", "postgresql-plpython3-17"]
    assert "PostgreSQL 17: no package for bg_mon, decoderbufs" in capsys.readouterr().err
    with pytest.raises(packages.SourceError, match="no PostgreSQL 14; it has 17"):
        packages.chosen("14", known)


def test_an_unknown_source_is_refused(recipe: Recipe) -> None:
    packages = recipe("debian_packages")
    with pytest.raises(packages.SourceError, match="use wheels, debian or pgdg"):
        packages.install("tarball", ["17"])


def test_sources_are_of_the_list_and_for_majors_that_there_are(recipe: Recipe) -> None:
    extensions, sources = recipe("extensions"), recipe("sources")
    for source in sources.SOURCES:
        assert source.extension in extensions.PACKAGES
        assert set(source.majors) <= set(PINS)
        assert len(bytes.fromhex(source.sha256)) == 32
    assert sources.RELEASES.keys() <= set(PINS)
    assert {source.extension for source in sources.SOURCES} == sources.DIGESTS.keys()


def test_only_scripts_for_upgrades_from_long_ago_go(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "thing.control").write_text("default_version = '5.9.1'\n")
    kept = ("thing--5.9.1.sql", "thing--5.4.0--5.9.1.sql", "thing--4.7.4--5.0.0.sql", "thing--5.8--5.9.1.sql")
    gone = ("thing--5.3.2--5.9.1.sql", "thing--4.6.0--4.7.4.sql", "thing--3.0--5.9.1.sql")
    for name in (*kept, *gone):
        (tmp_path / name).touch()
    recipe("unpack_extensions").drop_old_upgrades(tmp_path, "thing")
    assert {path.name for path in tmp_path.glob("*.sql")} == set(kept)
    (tmp_path / "thing--5.9.1.sql").rename(tmp_path / "thing--5.0.sql")
    for name in gone:
        (tmp_path / name).touch()
    recipe("unpack_extensions").drop_old_upgrades(tmp_path, "thing")
    assert all((tmp_path / name).exists() for name in gone), "a new one is made through all of them"


def test_a_version_is_read_with_and_without_quotes(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "one.control").write_text("comment = 'default_version'\ndefault_version = '1.2'\n")
    (tmp_path / "two.control").write_text("default_version=3\n")
    (tmp_path / "three.control").write_text("relocatable = true\n")
    assert recipe("contents").extensions_in(tmp_path) == {"one": "1.2", "two": "3"}
