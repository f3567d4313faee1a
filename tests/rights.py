"""Rights of RBAC: what rules grant, and what an audit log says was used.

A right is compared as Kubernetes decides it (Kubernetes docs, "Using RBAC Authorization"): by group, resource with
subresource, verb, and by name where a rule has names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

RBAC = "rbac.authorization.k8s.io"


class Right(NamedTuple):
    """``name`` is empty for any (of a rule) and for none (of a request)."""

    group: str
    resource: str
    verb: str
    name: str = ""

    def __str__(self) -> str:
        plural, _, part = self.resource.partition("/")
        whole = f"{plural}.{self.group}" if self.group else plural
        return " ".join(filter(None, (self.verb, whole + (f"/{part}" if part else ""), self.name)))

    def covers(self, used: Right) -> bool:
        """Whether a rule of this right allows that request."""
        return self[:3] == used[:3] and self.name in ("", used.name)


def granted(rules: Iterable[Mapping[str, Any]]) -> set[Right]:
    """Every right in rules of roles."""
    return {
        Right(group, resource, verb, name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames") or ("",)
    }


@dataclass
class Used:
    """What was asked for; ``refusals`` apart: what was refused for want of a right, and in which words."""

    rights: set[Right] = field(default_factory=set)
    refusals: dict[Right, str] = field(default_factory=dict)

    def lacking(self, rights: Iterable[Right]) -> list[str]:
        """What none of these rights allows; names of single objects left out."""
        known = list(rights)
        return sorted({str(one) for one in self.rights if not any(right.covers(one) for right in known)})

    def idle(self, rights: Iterable[Right]) -> list[str]:
        """Those that no request needed."""
        return sorted(str(right) for right in rights if not any(right.covers(one) for one in self.rights))


def used(logs: Sequence[Path], user: str, bound: str = "", since: int = 0) -> Used:
    """What a user did according to audit logs, after their first ``since`` bytes.

    ``bound`` is the role that its role bindings refer to.
    """
    found = Used()
    for event in _events(logs, user, since):
        about, code = event["objectRef"], event.get("responseStatus", {}).get("code", 0)
        verb = event["verb"]
        what = about.get("apiGroup", ""), "/".join(filter(None, (about["resource"], about.get("subresource"))))
        # An object that is to be made has no name yet that a rule could name.
        asked = Right(*what, verb, "" if verb == "create" else about.get("name", ""))
        message = event.get("responseStatus", {}).get("message", "")
        # Others are refused by admission: a namespace that ends, a volume that cannot grow.
        if code == 403 and (f'"{user}" cannot' in message or "attempting to grant" in message):
            found.refusals[asked] = message
            continue
        found.rights.add(asked)
        if verb == "patch" and code == 201:
            # An apply that makes the object is asked for both rights.
            found.rights.add(Right(*what, "create"))
        if what == (RBAC, "rolebindings") and verb == "create":
            found.rights.add(Right(RBAC, "clusterroles", "bind", bound))
    # A server that has just started has not read its roles yet, and refuses what it allows before and afterwards.
    found.refusals = {right: message for right, message in found.refusals.items() if right not in found.rights}
    return found


def _events(logs: Sequence[Path], user: str, since: int) -> Iterator[dict[str, Any]]:
    """Of requests that are about resources."""
    mark = json.dumps(user)
    for log in logs:
        with log.open() as lines:
            lines.seek(since)
            for line in lines:
                # The last line may be in the writing.
                if mark in line and line.endswith("\n"):
                    event = json.loads(line)
                    if event["user"]["username"] == user and "objectRef" in event:
                        yield event
