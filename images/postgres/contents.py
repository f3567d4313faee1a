"""What PostgreSQL really has in an image, looked up in its folders, and what it lacks of the contract's list.

contents.py FILE: used while the image is built; tests look with the same functions.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import extensions

POSTGRESQL = Path("/usr/lib/postgresql")
BUILT_WITH = {"ICU": "--with-icu", "LLVM": "--with-llvm", "LDAP": "--with-ldap", "PAM": "--with-pam"}
"""What a server can only be built with → what ``configure`` was told then."""


def contents(folder: Path) -> dict[str, Any]:
    """Major → what a person may create, and what of the list and of the server's own abilities is not there."""
    found = {}
    for program in sorted(folder.glob("*/bin/pg_config")):
        said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
        settings = dict(re.findall(r"(?m)^(\S+) = (.*)$", said))
        there = extensions_in(Path(settings["SHAREDIR"]) / "extension")
        names = {*there, *(path.stem for path in Path(settings["PKGLIBDIR"]).glob("*.so"))}
        names |= {path.name for path in Path(settings["BINDIR"]).iterdir()}
        found[program.parts[-3]] = {
            "extensions": there,
            "lacks": sorted(set(extensions.WANTED) - names),
            "built without": [name for name, option in BUILT_WITH.items() if option not in settings["CONFIGURE"]],
        }
    return found


def extensions_in(folder: Path) -> dict[str, str]:
    """Name → version, as each control file says it."""
    found = {}
    for file in sorted(folder.glob("*.control")):
        version = re.search(r"(?m)^\s*default_version\s*=\s*'?([^'\s]+)", file.read_text())
        if version:
            found[file.stem] = version[1]
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(contents(POSTGRESQL), indent=1) + "\n")
