"""Files on the command line → the objects in them, each with its lines.

A folder stands for all its ``.yaml``, ``.yml`` and ``.json`` files, at any depth and in the order of their names; what
begins with a dot is passed over. ``-`` is standard input. A ``List`` is the objects in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgherd.cli.line_numbers import Document, documents
from pgherd.errors import Fault, PgherdError

SUFFIXES = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True)
class Found:
    """One object and the file that it stands in."""

    source: str
    document: Document

    @property
    def content(self) -> Any:
        return self.document.content

    @property
    def kind(self) -> str:
        """Empty for what has none."""
        kind = self.content.get("kind") if isinstance(self.content, Mapping) else None
        return kind if isinstance(kind, str) else ""

    def place(self, fault: Fault) -> str:
        """``file:line`` of a fault."""
        return f"{self.source}:{self.document.line(fault.path)}"


def read_text(file: str) -> str:
    """Raises PgherdError for what cannot be read."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise PgherdError(f"{file}: {reason}") from None


def files_of(paths: Sequence[str]) -> list[str]:
    """Folders replaced by the files in them, each file once."""
    return list(dict.fromkeys(file for path in paths for file in _files(path)))


def objects(file: str) -> list[Found]:
    """Everything in one file. Raises ManifestError for text that is not YAML."""
    source = "standard input" if file == "-" else file
    return [Found(source, one) for document in documents(read_text(file), source) for one in _flat(document)]


def _files(path: str) -> Iterator[str]:
    folder = Path(path)
    if path == "-" or not folder.is_dir():
        yield path
        return
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.suffix in SUFFIXES and file.is_file() and not hidden:
            yield str(file)


def _flat(document: Document) -> Iterator[Document]:
    content = document.content
    if not isinstance(content, Mapping) or content.get("kind") != "List" or not isinstance(content.get("items"), list):
        yield document
        return
    for index, item in enumerate(content["items"]):
        at = f"items[{index}]"
        lines = {path[len(at) :].lstrip("."): line for path, line in document.lines.items() if _below(path, at)}
        repeated = tuple(
            Fault(fault.path[len(at) :].lstrip("."), fault.problem, fault.cure)
            for fault in document.repeated
            if _below(fault.path, at)
        )
        yield Document(item, lines, repeated)


def _below(path: str, at: str) -> bool:
    return path == at or path.startswith((f"{at}.", f"{at}["))
