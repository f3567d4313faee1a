"""Verdicts of the compatibility page against the code: what is called supported is read, what is not is told."""

from __future__ import annotations

import ast
import copy
import re
import typing
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from api.manifests import full, minimal
from pgherd import api
from pgherd.api import handled, parse_configmap, parse_operator_configuration, parse_postgresql
from pgherd.api.compat import notices, unhandled_options
from pgherd.api.docs import compatibility_page
from pgherd.api.handled import GAPS, WITHOUT_EFFECT, Word, verdict_of_field, verdict_of_option
from pgherd.api.options import all_options
from pgherd.api.postgresql import Postgresql
from pgherd.desired.unhandled import unhandled_fields

SOURCES = Path(api.__file__).parents[1]
DECLARATIONS = (
    "configuration",
    "handled.py",
    "inherited.py",
    "costs.py",
    "faults.py",
    "startup.py",
    "differences.py",
    "warnings.py",
)
WORDS = re.compile(r"^\| `([^`]+)` \| \[?(supported|differs|no effect|not yet)\b", re.MULTILINE)
ROWS = WORDS.findall(compatibility_page())


@cache
def read() -> tuple[frozenset[str], frozenset[str], tuple[re.Pattern[str], ...]]:
    """Attributes and strings of the operator's code, and attributes that it composes (``f"enable_{role}_port"``)."""
    attributes: set[str] = set()
    texts: set[str] = set()
    composed: set[str] = set()
    for file in SOURCES.rglob("*.py"):
        parts = file.relative_to(SOURCES).parts
        if parts[0] == "cli" or (parts[0] == "api" and (parts[1] in DECLARATIONS)):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr":
                composed |= {_pattern(part) for part in node.args if isinstance(part, ast.JoinedStr)}
    return frozenset(attributes), frozenset(texts), tuple(re.compile(one) for one in composed)


def _pattern(text: ast.JoinedStr) -> str:
    return "".join(re.escape(str(p.value)) if isinstance(p, ast.Constant) else "[a-z_]+" for p in text.values)


def is_read(name: str) -> bool:
    attributes, _, composed = read()
    return name in attributes or any(one.fullmatch(name) for one in composed)


def test_every_field_and_option_has_one_verdict() -> None:
    assert [path for path, times in Counter(path for path, _ in ROWS).items() if times > 1] == []
    rows = dict(ROWS)
    assert set(all_options()) <= set(rows)
    for path, word in rows.items():
        expected = verdict_of_field(path) if path.startswith("spec") else verdict_of_option(path)
        assert word == str(expected.word), path
    assert {path for path in rows if not path.startswith("spec")} == set(all_options())


@pytest.mark.parametrize("path", all_options())
def test_an_option_is_read_exactly_if_it_is_said_to_count(path: str) -> None:
    verdict, key = verdict_of_option(path), all_options()[path].key
    gap = handled.gap_of_option(path)
    if verdict.word in (Word.SUPPORTED, Word.DIFFERS):
        assert is_read(key), "nothing reads it: it belongs to a gap, or has no effect"
    elif gap is None or not gap.partly:
        assert not is_read(key), "something reads it by now: take it off the list of what is missing"


def model_fields(model: type[BaseModel], path: str) -> Iterator[tuple[str, str]]:
    """Path in YAML and attribute of everything below a model."""
    for name, info in model.model_fields.items():
        here = f"{path}.{info.alias or name}"
        yield here, name
        for inner in _models(info.annotation):
            yield from model_fields(inner, here)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in typing.get_args(annotation):
        yield from _models(one)


def test_a_supported_field_is_read() -> None:
    spec = Postgresql.model_fields["spec"].annotation
    assert isinstance(spec, type)
    found = dict(model_fields(spec, "spec"))
    assert len(found) > 150
    _, texts, _ = read()
    # Patroni's settings, the amounts of resources and removed spellings are walked by name.
    unread = {
        path
        for path, name in found.items()
        if not is_read(name) and name not in texts and path.rpartition(".")[2] not in texts
    }
    assert {path for path in unread if verdict_of_field(path).word in (Word.SUPPORTED, Word.DIFFERS)} == set()


def test_paths_of_gaps_exist_and_nothing_stands_twice() -> None:
    rows = dict(ROWS)
    listed = [path for gap in GAPS for path in (*gap.fields, *gap.options)] + list(WITHOUT_EFFECT)
    assert sorted(set(listed)) == sorted(listed)
    assert set(listed) <= set(rows)
    assert all(gap.fields or gap.options for gap in GAPS)


def value_at(path: str) -> Any:
    found: Any = {"spec": full()["spec"] | {"standby": {"standby_host": "db.example.org"}}}
    for word in path.split("."):
        found = found[word]
    return found


@pytest.mark.parametrize("path", [path for gap in GAPS for path in gap.fields])
def test_page_and_condition_agree(path: str) -> None:
    """A manifest with only this field says so, with the words of the page; one without does not."""
    manifest = copy.deepcopy(minimal())
    manifest["spec"].pop("preparedDatabases", None)
    assert unhandled_fields(parse_postgresql(manifest)) == ()
    *above, last = path.split(".")[1:]
    place = manifest["spec"]
    for word in above:
        place = place.setdefault(word, {})
    place[last] = value_at(path)
    (told,) = unhandled_fields(parse_postgresql(manifest))
    assert told.path == path
    assert f"| `{path}` | [not yet](#missing) | {told.missing} |" in compatibility_page()


def test_the_page_tells_of_nothing_else() -> None:
    # A cluster cannot be both a clone and a standby.
    told = {"spec.standby"} | {one.path for one in unhandled_fields(parse_postgresql(full()))}
    said = {path for path, word in ROWS if path.startswith("spec") and word == "not yet"}
    assert told == {path for path in said if path.rpartition(".")[0] not in said}


def test_options_that_do_not_count_are_told_where_somebody_set_them() -> None:
    given = {"users": {"enable_password_rotation": True}, "timeouts": {"pod_label_wait_timeout": "3m"}}
    config = parse_operator_configuration({"configuration": given})
    assert [str(one) for one in unhandled_options(config)] == [
        "users.enable_password_rotation: passwords are not rotated yet"
    ]
    told = {fault.path: fault.problem for fault in notices(config)}
    assert set(told) == {"users.enable_password_rotation", "timeouts.pod_label_wait_timeout"}
    assert told["timeouts.pod_label_wait_timeout"].startswith("has no effect: ")


@pytest.mark.parametrize("data", [{}, {"enable_teams_api": "false", "enable_password_rotation": "false"}])
def test_what_asks_for_nothing_is_not_told(data: dict[str, str]) -> None:
    assert notices(parse_configmap(data)) == []
