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


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], indent: str = "") -> None:
    """Print aligned columns; an empty cell is shown as it is, ``None`` as a dash."""
    cells = [[_cell(value) for value in row] for row in rows]
    if console().is_terminal:
        from rich.table import Table
        from rich.text import Text

        grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
        for header in headers:
            grid.add_column(Text(header), overflow="fold")
        for row in cells:
            grid.add_row(*(Text(cell, style=_style(cell)) for cell in row))
        console().print(grid, soft_wrap=False)
        return
    widths = [max(len(line[column]) for line in (list(headers), *cells)) for column in range(len(headers))]
    for line in (list(headers), *cells):
        sys.stdout.write(
            f"{indent}{'   '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))}".rstrip() + "\n"
        )


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
