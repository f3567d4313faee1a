"""The failures that several verbs share, worded as Kubernetes words them."""

from __future__ import annotations

from localkube.api import Object, Status
from localkube.registry import Kind


def details(kind: Kind, name: str) -> Object:
    return {"name": name, **({"group": kind.group} if kind.group else {}), "kind": kind.plural}


def not_found(kind: Kind, name: str) -> Status:
    return Status(404, "NotFound", f'{kind.resource} "{name}" not found', details(kind, name))


def exists(kind: Kind, name: str) -> Status:
    return Status(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', details(kind, name))


def conflict(kind: Kind, name: str, why: str = "") -> Status:
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    text = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return Status(409, "Conflict", text, details(kind, name))


def mismatch(kind: Kind, name: str, label: str, wanted: str, have: str) -> Status:
    """A precondition of a deletion that does not hold."""
    return conflict(kind, name, f"the {label} in the precondition ({wanted}) does not match the one in record ({have})")


def missing() -> Status:
    """A path that names nothing."""
    return Status(404, "NotFound", "the server could not find the requested resource", {})


def forbidden(kind: Kind, name: str, why: str, cause: str = "") -> Status:
    more = {"causes": [{"reason": cause, "message": why}]} if cause else {}
    return Status(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', details(kind, name) | more)


def bad_request(text: str) -> Status:
    return Status(400, "BadRequest", text)


def absent(what: str) -> Status:
    """501: Kubernetes has it, localkube has not."""
    return Status(501, "NotImplemented", f"{what}: localkube does not do this; a real cluster does")
