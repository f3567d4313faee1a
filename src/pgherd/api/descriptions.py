"""The docstring below each field, which becomes its description in the CRD, the reference page and ``explain``.

They are read from the source when asked for and not when the models are built: a start of the operator, or a
``pgherd render``, needs none of them.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache

from pydantic import BaseModel


@cache
def _module_docs(module: str) -> Mapping[str, Mapping[str, str]]:
    """Class name to field name to text, for one module."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    found: dict[str, dict[str, str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            texts = found.setdefault(node.name, {"": ast.get_docstring(node) or ""})
            for field, text in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and isinstance(text, ast.Expr)
                    and isinstance(text.value, ast.Constant)
                    and isinstance(text.value.value, str)
                ):
                    texts[field.target.id] = " ".join(text.value.value.split())
    return found


def field_docs(model: type[BaseModel]) -> Mapping[str, str]:
    """Python field name to description, with those inherited from other models."""
    out: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent is not BaseModel:
            out |= {name: text for name, text in _module_docs(parent.__module__)[parent.__name__].items() if name}
    return out
