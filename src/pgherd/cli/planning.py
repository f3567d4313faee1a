"""``pgherd plan``: the steps that the operator would take now, in order, before any of them happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgherd.cli import output
from pgherd.cli.differences import differences
from pgherd.cli.invocation import Invocation, Session
from pgherd.cli.looking import Look, look_ahead
from pgherd.cli.output import Format
from pgherd.errors import KubernetesError, ManifestError
from pgherd.kube.resources import resource_of
from pgherd.plan.plan import Plan
from pgherd.plan.steps import Apply, Impact, PatchDynamicConfiguration, Step, Wait, leaves


@dataclass(frozen=True)
class Manner:
    """How to show it. ``configuration`` is NAMESPACE/NAME, empty to find it."""

    why: bool = False
    form: Format = Format.TABLE
    configuration: str = ""


async def show(invocation: Invocation, name: str, manner: Manner) -> None:
    """Print the plan; nothing is changed."""
    async with invocation.session() as session:
        look = await look_ahead(session, name, manner.configuration)
        detailed = manner.why or manner.form.for_programs
        facts = await _facts(session, look, detailed=detailed)
    if manner.form.for_programs:
        output.data(facts, manner.form)
        return
    _print(facts, manner)


async def _facts(session: Session, look: Look, *, detailed: bool) -> dict[str, Any]:
    plan = look.prospect.plan
    steps = [step for step in plan.steps if not isinstance(step, Wait)]
    return {
        "cluster": str(plan.cluster),
        "configuration": look.configuration,
        "steps": [
            {
                "number": number,
                "step": step.describe(),
                "subject": step.subject,
                "impact": str(step.impact),
                "reason": step.reason,
                "changes": await _changes(session, step) if detailed else [],
            }
            for number, step in enumerate(steps, 1)
        ],
        "heldBack": [{"what": one.what, "because": one.because} for one in plan.blocked],
        "waitsFor": list(dict.fromkeys(step.reason for step in plan.steps if isinstance(step, Wait))),
        "faults": _faults(look, plan),
        "notHandled": list(look.prospect.unhandled),
        "notSeen": list(look.blind),
    }


def _faults(look: Look, plan: Plan) -> list[str]:
    manifest = look.prospect.observed.manifest
    errors = [*([manifest] if isinstance(manifest, ManifestError) else []), *plan.faults]
    return list(dict.fromkeys(str(fault) for error in errors for fault in error.faults))


async def _changes(session: Session, step: Step) -> list[str]:
    """Field by field what a step changes, asked of the API server by a dry run."""
    if isinstance(step, PatchDynamicConfiguration):
        return [f"{path}: {_value(step.patch, path)}" for path in leaves(step.patch)]
    if not isinstance(step, Apply) or not step.exists:
        return []
    resource = resource_of(step.manifest["kind"]).whole()
    try:
        before = await session.kube.get(resource.of(step.manifest))
        after = await session.kube.apply(resource, step.manifest, dry_run=True)
    except KubernetesError as error:
        return [f"cannot be compared: {error}"]
    return differences(step.manifest["kind"], before, after)


def _value(patch: dict[str, Any], path: str) -> Any:
    value: Any = patch
    for part in _parts(patch, path):
        value = value[part]
    return "removed" if value is None else value


def _parts(patch: dict[str, Any], path: str) -> list[str]:
    """The keys of a dotted path; keys may hold dots themselves (``auto_explain.log_min_duration``)."""
    for key, value in patch.items():
        if path == key:
            return [key]
        if path.startswith(f"{key}.") and isinstance(value, dict):
            return [key, *_parts(value, path[len(key) + 1 :])]
    return []


def _print(facts: dict[str, Any], manner: Manner) -> None:
    steps = facts["steps"]
    if not steps:
        output.say(f"{facts['cluster']}: nothing to do")
    elif manner.why:
        for step in steps:
            impact = "" if step["impact"] == Impact.NONE else f"   [{step['impact']}]"
            output.say(f"{step['number']:>2}  {step['step']}{impact}", style="bold")
            output.say(f"    because {step['reason']}")
            for change in step["changes"]:
                output.say(f"      {change}")
    else:
        rows = [[step["number"], step["step"], step["subject"], step["impact"]] for step in steps]
        output.table(["#", "STEP", "SUBJECT", "IMPACT"], rows)
    for one in facts["heldBack"]:
        output.say(f"held back   {one['what']}: {one['because']}", style="yellow")
    for reason in facts["waitsFor"]:
        output.say(f"then waits  {reason}")
    for fault in facts["faults"]:
        output.say(f"fault       {fault}", style="red")
    if manner.why:
        for field in facts["notHandled"]:
            output.say(f"not handled {field}")
        output.say(f"settings    {facts['configuration']}")
    for sentence in facts["notSeen"]:
        output.note(f"not seen    {sentence}", style="yellow")
