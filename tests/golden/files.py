"""Reading golden files: one object per file, ``<kind>-<name>.yaml`` in a folder for each example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent

#: What stands for every drawn password in the golden files.
PASSWORD = "<64 random alphanumerics>"

_INPUTS = ("input.yaml", "configuration.yaml", "environment.yaml")


def load(example: str, file: str) -> Any:
    """Return the content of one file of an example."""
    text = (ROOT / example / file).read_text(encoding="utf-8").replace("<password from B.9>", PASSWORD)
    return yaml.load(text, yaml.CSafeLoader)


def objects(example: str) -> dict[str, dict[str, Any]]:
    """Return all expected objects of an example, by ``Kind/name``."""
    files = sorted((ROOT / example).glob("*.yaml"))
    loaded = [load(example, file.name) for file in files if file.name not in _INPUTS]
    return {identity(manifest): manifest for manifest in loaded}


def identity(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
