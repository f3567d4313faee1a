"""Environment lists of containers: entries, who wins on a name that is taken, and what stays data.

Kubernetes expands ``$(NAME)`` in the value of a variable and turns ``$$`` into ``$``. In ``spec.env`` and in the
environment ConfigMap that is the language people write, and it passes unchanged. Everywhere else (parameters, names,
paths) a dollar sign is data, so :func:`variable` escapes what Kubernetes would otherwise change, and nothing more:
text without such a sequence, which is nearly all, is what the reference writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import SecretStr

from pgherd.desired.manifest import Manifest, without_nulls

Environment = list[Manifest]

# At each `$`, what kubelet's parser takes: a reference up to the first `)`, or a doubled dollar.
_TAKEN = re.compile(r"\$\(([^)]*)\)|\$(?=\$)", re.DOTALL)
_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


def escaped(text: str) -> str:
    """Return what must be written for a container to see ``text``.

    A reference to something that is no name (the shell's ``$(date +%s)``) passes, because Kubernetes leaves it alone:
    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return _TAKEN.sub(_escape, text) if "$" in text else text


def _escape(match: re.Match[str]) -> str:
    changes = match[1] is None or _NAME.fullmatch(match[1])
    return f"${match[0]}" if changes else match[0]


def variable(name: str, value: str | None) -> Manifest:
    """A variable whose value is data. An empty value is left out: to Kubernetes that is the same."""
    return {"name": name, "value": escaped(value)} if value else {"name": name}


def hidden_variable(name: str, value: SecretStr) -> Manifest:
    """A variable from a credential of the configuration or the manifest.

    In clear text, as it will stand in the Kubernetes object: the reference offers no other way for these few. Whoever
    shows a manifest to a person hides environment values.
    """
    return variable(name, value.get_secret_value())


def field_variable(name: str, path: str) -> Manifest:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def secret_variable(name: str, secret: str, key: str) -> Manifest:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def user_variable(entry: Manifest) -> Manifest:
    """An entry as a person wrote it; an empty value is left out, ``$(NAME)`` keeps its meaning."""
    cleaned: Manifest = without_nulls(entry)
    if cleaned.get("value") == "":
        del cleaned["value"]
    return cleaned


def appended(environment: Iterable[Manifest], more: Iterable[Manifest]) -> Environment:
    """``⊎``: append the entries whose name is not taken, in any letter case; a first occurrence stays."""
    result = list(environment)
    taken = {entry["name"].lower() for entry in result}
    for entry in more:
        if entry["name"].lower() not in taken:
            taken.add(entry["name"].lower())
            result.append(entry)
    return result


def overriding(environment: Iterable[Manifest], generated: Iterable[Manifest]) -> Environment:
    """``++`` with the outcome of a container runtime: a generated entry replaces an earlier one of the same name.

    The reference writes both (quirk Q14); the runtime keeps the last. A list with a name twice cannot be applied.
    """
    last = {entry["name"]: entry for entry in generated}
    return [entry for entry in environment if entry["name"] not in last] + list(last.values())
