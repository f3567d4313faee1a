"""The rules by which a user's configuration is laid over the generated one, and initdb's options."""

from __future__ import annotations

from typing import Any

import pytest

from instance.environments import A, machine
from pgherd_instance.encoding import candidates, initdb
from pgherd_instance.environment import parse
from pgherd_instance.merge import initdb_options, merged

GENERATED: list[Any] = [{"encoding": "UTF8"}, {"locale": "en_US.UTF-8"}, "data-checksums"]


def test_mappings_merge_lists_replace_null_keeps() -> None:
    generated = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"d": 1}}
    user = {"a": {"y": [3], "z": None}, "b": None, "c": "plain", "e": {"f": 2}}
    assert merged(generated, user) == {"a": {"x": 1, "y": [3], "z": None}, "b": 1, "c": "plain", "e": {"f": 2}}
    assert generated == {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"d": 1}}


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ([{"auth-local": "trust"}], [*GENERATED, {"auth-local": "trust"}]),
        ([{"locale": "de_DE.UTF-8"}], [{"encoding": "UTF8"}, {"locale": "de_DE.UTF-8"}, "data-checksums"]),
        (["no-locale"], [{"encoding": "UTF8"}, "data-checksums", "no-locale"]),
        ([{"data-checksums": "false"}], [{"encoding": "UTF8"}, {"locale": "en_US.UTF-8"}]),
        (["no-data-checksums"], [{"encoding": "UTF8"}, {"locale": "en_US.UTF-8"}, "no-data-checksums"]),
        (["data-checksums", {"data-checksums": "true"}], GENERATED),
    ],
)
def test_initdb_options_merge_by_name(user: list[Any], expected: list[Any]) -> None:
    assert initdb_options(GENERATED, user) == expected


def options(variables: dict[str, str], locales: set[str], major: int) -> tuple[list[Any], list[str]]:
    return initdb(parse({**A, **variables}), machine(locales=frozenset(locales)), major)


def test_the_reference_rule_is_one_switch_away() -> None:
    chosen, _ = options({"PGHERD_INITDB_MERGE": "false"}, {"en_US.UTF-8"}, 18)
    assert chosen == [{"auth-host": "scram-sha-256"}, {"auth-local": "trust"}]


@pytest.mark.parametrize(
    ("locales", "major", "expected"),
    [
        ({"en_US.UTF-8", "C.UTF-8"}, 14, [{"locale": "en_US.UTF-8"}]),
        ({"C.UTF-8"}, 18, [{"locale": "C.UTF-8"}]),
        (set(), 17, [{"locale-provider": "builtin"}, {"builtin-locale": "C.UTF-8"}, {"locale": "C"}]),
        (set(), 16, [{"locale": "C"}]),
    ],
)
def test_utf8_whatever_the_locales(locales: set[str], major: int, expected: list[Any]) -> None:
    chosen, notes = options({"SPILO_CONFIGURATION": ""}, locales, major)
    assert chosen == [{"encoding": "UTF8"}, *expected, "data-checksums"]
    assert bool(notes) == ("en_US.UTF-8" not in locales)


def test_a_locale_that_was_asked_for_is_never_replaced() -> None:
    asked = {"SPILO_CONFIGURATION": '{"bootstrap": {"initdb": {"locale": "de_DE.UTF-8"}}}'}
    chosen, notes = options(asked, {"C.UTF-8"}, 18)
    assert {"locale": "de_DE.UTF-8"} in chosen
    assert notes == [
        "initdb: the locale de_DE.UTF-8 is not installed, so no new cluster can be made with it; install it"
    ]
    assert options({"INITDB_LOCALE": "fr_FR"}, {"C.UTF-8"}, 18)[0][1] == {"locale": "fr_FR.UTF-8"}
    assert "de_DE.UTF-8" in candidates(parse({**A, **asked}))
