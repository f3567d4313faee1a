"""How answers look: aligned columns, coloured on a terminal and plain elsewhere; JSON and YAML for programs.

Elsewhere than on a terminal nothing is wrapped, shortened or coloured, so that output can be cut and compared.

Rich is imported by what uses it: that takes as long as rendering a cluster.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


class Format(StrEnum):
    """Value of ``--output``."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"

    @property
    def for_programs(self) -> bool:
        """JSON or YAML."""
        return self in (Format.JSON, Format.YAML)


GOOD = frozenset({"Running", "True", "ok", "running", "streaming"})
BAD = frozenset({"CreateFailed", "UpdateFailed", "SyncFailed", "Invalid", "missing", "crashed", "start failed"})


@cache
def console() -> Console:
    """Standard output."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


@cache
def errors() -> Console:
    """Standard error: progress, questions and warnings."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def data(value: Any, form: Format) -> None:
    """Print for a program. ``value`` is made of plain mappings, lists and scalars."""
    if form is Format.JSON:
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    else:
        import yaml

        sys.stdout.write(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=False))


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns, never folded; an empty cell is shown as it is, ``None`` as a dash."""
    from rich.text import Text

    lines = [list(headers), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for number, line in enumerate(lines):
        text = Text(style="bold" if number == 0 else "")
        last = max((column for column, cell in enumerate(line) if cell), default=0)
        for column, cell in enumerate(line[: last + 1]):
            text.append(cell if column == last else cell.ljust(widths[column] + 3), style=_style(cell))
        console().print(text)


def say(message: str = "", style: str = "") -> None:
    """One line of an answer."""
    from rich.text import Text

    console().print(Text(message, style=style))


def note(message: str, style: str = "") -> None:
    """One line about what happens, on standard error."""
    from rich.text import Text

    errors().print(Text(message, style=style))


def heading(title: str, details: Mapping[str, object]) -> None:
    """A title with what belongs to it in lines ``name: value``; empty values are left out."""
    from rich.markup import escape
    from rich.text import Text

    console().print(f"[bold]{escape(title)}[/bold]")
    shown = {name: value for name, value in details.items() if value not in ("", None)}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        console().print(Text(f"  {name + ':':<{width + 1}} {value}"))


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def _style(cell: str) -> str:
    return "green" if cell in GOOD else "red" if cell in BAD else ""
