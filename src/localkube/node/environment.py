"""The environment and command line of a container, as Kubernetes composes them.

Order: ``envFrom``, then ``env`` from top to bottom; a ``value`` may use ``$(NAME)`` of what stands before it, ``$$`` is
a dollar sign, an unknown name stays as it is written (Kubernetes docs, "Define dependent environment variables").
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localkube.api import Api, Object, Status

REFERENCE = re.compile(r"\$\$|\$\(([^()]*)\)")
SUBSCRIPT = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]")


class ConfigError(Exception):
    """A container cannot be made as it is written: CreateContainerConfigError. Never carries a value of a Secret."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    return REFERENCE.sub(lambda hit: "$" if hit[1] is None else variables.get(hit[1], hit[0]), text)


@dataclass
class Sources:
    """Where references lead: the pod as last seen, and the API for Secrets and ConfigMaps of its namespace."""

    api: Api
    pod: Object

    def data(self, kind: str, name: str) -> dict[str, bytes] | None:
        """The keys of a Secret or ConfigMap (``secrets``, ``configmaps``), None if there is no such object."""
        try:
            obj = self.api.get(kind, self.pod["metadata"]["namespace"], name)
        except Status as status:
            if status.code == 404:
                return None
            raise
        if kind == "secrets":
            return {key: base64.b64decode(value) for key, value in (obj.get("data") or {}).items()}
        binary = {key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}
        return {key: value.encode() for key, value in (obj.get("data") or {}).items()} | binary

    def required(self, kind: str, reference: Object) -> dict[str, bytes]:
        """As :meth:`data`; a missing object is empty if the reference is optional, else a :class:`ConfigError`."""
        found = self.data(kind, reference["name"])
        if found is None and not reference.get("optional"):
            raise ConfigError(f'{kind.removesuffix("s")} "{reference["name"]}" not found')
        return found or {}

    def field(self, path: str) -> str:
        """The downward API: a field of the pod. Whole labels and annotations come one ``key="value"`` a line."""
        if hit := SUBSCRIPT.fullmatch(path):
            return str(self._maps(hit[1]).get(hit[2], ""))
        if path in ("metadata.labels", "metadata.annotations"):
            return "\n".join(f'{key}="{value}"' for key, value in sorted(self._maps(path).items()))
        value: object = self.pod
        for part in path.split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        return str(value)

    def _maps(self, path: str) -> Mapping[str, str]:
        return self.pod["metadata"].get(path.removeprefix("metadata.")) or {}


def container_environment(sources: Sources, container: Object, preset: Mapping[str, str]) -> dict[str, str]:
    """``preset`` is what the image sets; the container's own variables win.

    :raises ConfigError: for a missing Secret, ConfigMap or key that is not optional.
    """
    variables = dict(preset)
    for source in container.get("envFrom") or []:
        kind = "secrets" if "secretRef" in source else "configmaps"
        reference = source.get("secretRef") or source["configMapRef"]
        data = sources.required(kind, reference)
        variables |= {source.get("prefix", "") + key: value.decode() for key, value in data.items()}
    for entry in container.get("env") or []:
        value_from = entry.get("valueFrom")
        if value_from is None:
            variables[entry["name"]] = expand(str(entry.get("value") or ""), variables)
        elif (value := _value_from(sources, value_from)) is not None:
            variables[entry["name"]] = value
    return variables


def _value_from(sources: Sources, value_from: Object) -> str | None:
    if reference := value_from.get("fieldRef"):
        return sources.field(reference["fieldPath"])
    if "resourceFieldRef" in value_from:
        raise ConfigError("resourceFieldRef: localkube does not do this; a real cluster does")
    kind = "secrets" if "secretKeyRef" in value_from else "configmaps"
    reference = value_from.get("secretKeyRef") or value_from["configMapKeyRef"]
    data = sources.required(kind, reference)
    if reference["key"] in data:
        return data[reference["key"]].decode()
    if reference.get("optional"):
        return None
    where = (
        f"{'Secret' if kind == 'secrets' else 'ConfigMap'} {sources.pod['metadata']['namespace']}/{reference['name']}"
    )
    raise ConfigError(f"couldn't find key {reference['key']} in {where}")


def command_line(container: Object, entrypoint: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """``command`` replaces the image's entrypoint, ``args`` follow either."""
    words = [*(container.get("command") or entrypoint), *(container.get("args") or [])]
    return [expand(str(word), variables) for word in words]
