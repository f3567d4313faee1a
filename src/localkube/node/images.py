"""Which images this machine can run, and as what: the stand-in for a registry.

The file given at start (``localkube serve --config programs.yaml``) says, per image name::

    images:
      pgherd/postgres:                       # any tag and digest; "pgherd/postgres:1.2" would match that tag only
        command: ["{python}", -m, pgherd_instance]     # the entrypoint, unless the container has its own command
        programs:                            # further names on the container's PATH
          patronictl: ["{python}", -c, "from patroni.ctl import ctl; ctl()"]
        packages:
        - kind: postgresql                   # appears as /usr/lib/postgresql/MAJOR; its bin folder is on the PATH
          major_from: {env: [PGVERSION], default: 18}  # the first variable of the container that is set

``{python}`` is an interpreter that a pod's user can run and that finds the packages of this environment. Nothing is
ever downloaded by image name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class ImageConfigError(Exception):
    """The file of images is wrong; the message names the place."""


@dataclass(frozen=True)
class Image:
    name: str
    command: tuple[str, ...]
    programs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    major_variables: tuple[str, ...] = ()
    default_major: int = 0
    """0: the image brings no PostgreSQL."""

    def postgresql_major(self, environment: Mapping[str, str]) -> int:
        """The major that a container asks for, 0 for none. A value like ``16.4`` counts as 16."""
        for name in self.major_variables:
            text = environment.get(name, "").split(".")[0]
            if text.isdigit():
                return int(text)
        return self.default_major


@dataclass(frozen=True)
class Images:
    known: Mapping[str, Image]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Images:
        images = config.get("images") or {}
        if not isinstance(images, Mapping):
            raise ImageConfigError("images: must map image names to programs")
        return cls({str(name): _image(str(name), entry) for name, entry in images.items()})

    def find(self, reference: str) -> Image | None:
        without_digest = reference.split("@")[0]
        head, _, last = without_digest.rpartition("/")
        repository = f"{head}/{last.split(':')[0]}" if head else last.split(":")[0]
        return self.known.get(without_digest) or self.known.get(repository)

    def refusal(self, reference: str) -> str:
        names = ", ".join(sorted(self.known)) or "none"
        return f'localkube cannot run image "{reference}": it downloads no images, the ones that it runs are: {names}'


def _image(name: str, entry: Any) -> Image:
    if not isinstance(entry, Mapping) or not _is_command(entry.get("command")):
        raise ImageConfigError(f"images.{name}.command: must be a list of words")
    programs = entry.get("programs") or {}
    for program, command in programs.items():
        if not _is_command(command):
            raise ImageConfigError(f"images.{name}.programs.{program}: must be a list of words")
    variables: tuple[str, ...] = ()
    default = 0
    for package in entry.get("packages") or []:
        if package.get("kind") != "postgresql":
            raise ImageConfigError(f"images.{name}.packages: the only kind is postgresql, not {package.get('kind')!r}")
        source = package.get("major_from") or {}
        variables = tuple(str(variable) for variable in source.get("env") or [])
        default = int(source.get("default") or 0)
    return Image(
        name=name,
        command=tuple(str(word) for word in entry["command"]),
        programs={str(key): tuple(str(word) for word in words) for key, words in programs.items()},
        major_variables=variables,
        default_major=default,
    )


def _is_command(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str | int | float) for word in value)
