"""Steps → Kubernetes events on the resource, with the reference's types and reasons (spec lifecycle 0.3)."""

from __future__ import annotations

from dataclasses import dataclass

from pgherd.plan.deletion import ALL_GONE, RELEASE
from pgherd.plan.steps import (
    Apply,
    CreateSecret,
    PatchDynamicConfiguration,
    PatchObject,
    RecreatePod,
    RestartMember,
    SetSuperuserPassword,
    Step,
    Switchover,
)


@dataclass(frozen=True)
class Notice:
    """An event to be recorded. ``type`` is Normal or Warning."""

    reason: str
    message: str
    type: str = "Normal"


_CREATED = {"Service": "Services", "Endpoints": "Endpoints", "StatefulSet": "StatefulSet"}


def notice(step: Step) -> Notice | None:
    """What people are told when this step begins; None for steps that only keep things in order."""
    match step:
        case Apply(exists=False) if step.manifest["kind"] in _CREATED:
            return Notice(_CREATED[step.manifest["kind"]], f"{step.describe()}: {step.reason}")
        case CreateSecret():
            return Notice("Secrets", step.describe())
        case RecreatePod() | RestartMember() | PatchDynamicConfiguration() | SetSuperuserPassword():
            return Notice("Update", f"{step.describe()}: {step.reason}")
        case Switchover():
            return Notice("Switchover", f"{step.describe()}: {step.reason}")
        case PatchObject(what=what) if what == RELEASE and step.reason.startswith(f"{ALL_GONE}; "):
            return Notice("Delete", step.reason, "Warning")
    return None


def failure_reason(word: str) -> str:
    """Reason of the warning that goes with a status word."""
    return {"CreateFailed": "Create", "Creating": "Create", "UpdateFailed": "Update"}.get(word, "Sync")
