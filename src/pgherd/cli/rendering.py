"""``pgherd render``: all children of a manifest as YAML, in the order of creation, without a cluster.

Passwords are drawn in the cluster, so a placeholder stands in their place. It is no base64 on purpose: an API server
refuses it, so that nobody creates a database whose password is known from this program.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import parse_postgresql
from pgherd.cli.files import Found, files_of, objects
from pgherd.cli.findings import findings
from pgherd.cli.offline import all_manifests, offline_context, unseen
from pgherd.cli.settings import of_option
from pgherd.errors import PgherdError
from pgherd.facts.secret import Secret

FASTEST: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Dumper(FASTEST):  # type: ignore[misc]
    """Every object is written out; YAML's references to an earlier one are hard to read."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def render(files: Sequence[str], config: str, form: str) -> None:
    """Print; what is wrong is told with its line, and then nothing is printed. Raises PgherdError."""
    settings = of_option(config)
    found = [one for file in files_of(files) for one in objects(file) if one.kind == "postgresql"]
    if not found:
        raise PgherdError(f"{', '.join(files)}: holds no postgresql. Cure: give a manifest, as examples/minimal.yaml")
    for sentence in unseen(settings.config):
        _tell(sentence)
    sound = [_is_sound(one, settings.config) for one in found]
    if not all(sound):
        raise PgherdError("nothing is rendered. Cure: mend what is named above")
    manifests = [child for one in found for child in _children(one, settings.config)]
    if form == "json":
        import json

        sys.stdout.write(json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}, indent=2) + "\n")
    else:
        yaml.dump_all(manifests, sys.stdout, Dumper, sort_keys=False, allow_unicode=True, explicit_start=True)


def _is_sound(found: Found, config: OperatorConfiguration) -> bool:
    result = findings(found.document, config)
    for fault in result.remarks:
        _tell(f"{found.place(fault)}: warning: {fault}")
    for fault in result.notes:
        _tell(f"{found.place(fault)}: note: {fault}")
    for fault in result.faults:
        _tell(f"{found.place(fault)}: {fault}")
    return not result.faults


def _tell(line: str) -> None:
    """Not by rich, whose import takes longer than everything else here."""
    sys.stderr.write(f"{line}\n")


def _children(found: Found, config: OperatorConfiguration) -> list[Any]:
    ctx = offline_context(parse_postgresql(found.content), config)
    return [with_placeholders(manifest) for manifest in all_manifests(ctx)]


def with_placeholders(value: Any, key: str = "") -> Any:
    """The manifest as data that can be printed: each secret value becomes ``<its key>``."""
    if isinstance(value, Secret):
        return f"<{key}>"
    if isinstance(value, Mapping):
        return {name: with_placeholders(member, name) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [with_placeholders(member, key) for member in value]
    return value
