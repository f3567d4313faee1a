"""A YAML file with the line of everything in it.

Read as Kubernetes' tools read it: no value becomes a date, and a key that stands twice is a fault instead of a loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from pgherd.api.faults import path_of
from pgherd.errors import Fault, ManifestError


class _Loader(yaml.SafeLoader):
    """Without dates: JSON has none, so the API server sees the text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Document:
    """One document. ``lines`` maps paths, as faults write them, to lines from 1."""

    content: Any
    lines: dict[str, int] = field(repr=False)
    repeated: tuple[Fault, ...] = ()

    def line(self, path: str) -> int:
        """Line of a path; of the nearest thing above it when it is not there."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, self.lines.get("", 1))


def documents(text: str, source: str) -> list[Document]:
    """All documents that are not empty. Raises ManifestError for text that is not YAML."""
    try:
        found = []
        for node in yaml.compose_all(text, Loader=_Loader):
            if node is None:
                continue
            places, repeated = _places(node)
            content = _construct(node)
            if content is not None:
                found.append(Document(content, places, repeated))
        return found
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the text"
        cure = "mend the indentation or the quotes there; tabs are not allowed"
        raise ManifestError(source, [Fault(where, f"is not YAML: {error.problem or error.context}", cure)]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ManifestError(source, [Fault("the text", f"is not YAML: {error}")]) from None


def _construct(node: yaml.Node) -> Any:
    loader = _Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _places(root: yaml.Node) -> tuple[dict[str, int], tuple[Fault, ...]]:
    lines: dict[str, int] = {"": root.start_mark.line + 1}
    repeated: list[Fault] = []
    for parts, node, line in _walk(root, ()):
        path = path_of(parts)
        if path in lines and isinstance(parts[-1], str):
            repeated.append(Fault(path, f"stands twice, in lines {lines[path]} and {line}", "keep one of them"))
        lines.setdefault(path, line)
        del node
    return lines, tuple(repeated)


def _walk(node: yaml.Node, parts: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], yaml.Node, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*parts, str(key.value))
            yield here, value, key.start_mark.line + 1
            yield from _walk(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            here = (*parts, index)
            yield here, value, value.start_mark.line + 1
            yield from _walk(value, here)
