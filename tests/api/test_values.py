"""Quantities, maintenance windows, names of namespaces: values with a meaning of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgherd.api import KUBERNETES_VERSIONS, POSTGRES_VERSIONS, quantity
from pgherd.api.fields import Version
from pgherd.api.types import ENDED_VERSIONS, P_MEMORY_ACCEPTED, compiled, namespaced
from pgherd.api.windows import Window, is_open, next_opening, parse_window


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("500m", Fraction(1, 2)),
        ("1.5", Fraction(3, 2)),
        ("1Ki", 1024),
        ("1k", 1000),
        ("1K", 1000),
        ("1.5Gi", 3 * 2**29),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1e3Gi", 1000 * 2**30),
        ("1E", 10**18),
        ("8Ei", 2**63),
        ("1Ei", 2**60),
        ("100u", Fraction(1, 10_000)),
        ("-1", -1),
        (".5", Fraction(1, 2)),
        ("5.", 5),
    ],
)
def test_quantities(text: str, value: Fraction) -> None:
    assert quantity.parse(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "1 Gi", "Gi", "1gi", "1mi", "1ki", "1e", "--1", "1e9999", "10E", "9" * 30, "1e99999999999", "1_0"]
)
def test_not_quantities(text: str) -> None:
    with pytest.raises(ValueError):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("100K", "100000"), ("1e3Gi", "1073741824000"), ("1.5e1K", "15000"), ("1Gi", "1Gi"), ("1e3", "1e3"), ("1k", "1k")],
)
def test_canonical_quantities_are_what_kubernetes_reads(text: str, canonical: str) -> None:
    assert quantity.canonical(text) == canonical
    assert quantity.parse(canonical) == quantity.parse(text)


@given(st.from_regex(P_MEMORY_ACCEPTED.replace(r"\d", "[0-9]"), fullmatch=True))
def test_every_admitted_amount_has_a_canonical_form_or_is_absurd(text: str) -> None:
    text = text.removesuffix("\n")
    try:
        value = quantity.parse(text)
    except ValueError as error:
        assert "too large" in str(error) or len(text) > 64 or "e" in text  # noqa: PT017
        return
    again = quantity.canonical(text)
    assert compiled(r"[+-]?([0-9.]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+|)").fullmatch(again)
    assert 0 <= quantity.parse(again) - value < Fraction(1, 1000)


@pytest.mark.parametrize("text", [None, "", "0", "null"])
def test_unset_amounts(text: str | None) -> None:
    assert quantity.is_unset(text)


def test_zero_with_a_unit_is_an_amount() -> None:
    assert not quantity.is_unset("0Gi")


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("01:00-06:30", Window(None, 60, 390)),
        ("Sat:0:00-4:00", Window(5, 0, 240)),
        ("Mon:05:05-05:05", Window(0, 305, 305)),
        ("  Sun:23:00-23:59 ", Window(6, 1380, 1439)),
        ("1:5-2:0", Window(None, 65, 120)),
    ],
)
def test_windows(text: str, window: Window) -> None:
    assert parse_window(text) == window


@pytest.mark.parametrize(
    "text", ["", "01:00", "Mon:02:00-01:00", "mon:01:00-02:00", "24:00-24:00", "01:60-02:00", "Mon:1:00-Tue:2:00"]
)
def test_not_windows(text: str) -> None:
    with pytest.raises(ValueError):
        parse_window(text)


WEDNESDAY = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)


def test_both_ends_belong_to_the_window() -> None:
    window = parse_window("Wed:12:30-12:31")
    assert window.contains(WEDNESDAY)
    assert window.contains(WEDNESDAY.replace(minute=31, second=59))
    assert not window.contains(WEDNESDAY.replace(minute=32))
    assert not window.contains(WEDNESDAY.replace(day=26))


def test_no_windows_means_always() -> None:
    assert is_open([], WEDNESDAY)
    assert next_opening([], WEDNESDAY) == WEDNESDAY


@pytest.mark.parametrize(
    ("windows", "start"),
    [
        (["12:00-13:00"], WEDNESDAY),
        (["13:00-14:00"], datetime(2026, 11, 25, 13, 0, tzinfo=UTC)),
        (["01:00-02:00"], datetime(2026, 11, 26, 1, 0, tzinfo=UTC)),
        (["Wed:12:00-12:29"], datetime(2026, 12, 2, 12, 0, tzinfo=UTC)),
        (["Mon:01:00-02:00", "Fri:03:00-04:00"], datetime(2026, 11, 27, 3, 0, tzinfo=UTC)),
    ],
)
def test_next_opening(windows: list[str], start: datetime) -> None:
    assert next_opening([parse_window(one) for one in windows], WEDNESDAY) == start


@given(st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1439), st.datetimes(timezones=st.just(UTC)))
def test_the_next_opening_is_open(day: int, start: int, length: int, moment: datetime) -> None:
    window = Window(day, start, min(1439, start + length))
    assert parse_window(str(window)) == window
    if moment.year < 9999:
        assert is_open([window], next_opening([window], moment))


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a", ("here", "a")), ("there/a", ("there", "a")), ("there//a", ("there", "a")), ("/a", ("here", "a"))],
)
def test_namespaced_names(text: str, parts: tuple[str, str]) -> None:
    assert namespaced(text, "here") == parts


def test_versions() -> None:
    assert Version.__args__ == POSTGRES_VERSIONS  # type: ignore[attr-defined]
    assert set(ENDED_VERSIONS) < set(POSTGRES_VERSIONS)
    assert (KUBERNETES_VERSIONS[0], KUBERNETES_VERSIONS[-1], len(KUBERNETES_VERSIONS)) == ("1.27", "1.37", 11)
