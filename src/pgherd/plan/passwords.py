"""The passwords of the two roles that pods log in with: the Secret, the database and the pods have to agree.

Invariant: the Secret is the truth and is never written over what it holds. A superuser whose Secret was lost or edited
cannot log in to say so; then the password is set through the socket inside the primary's pod (spec lifecycle W-22).

A pod reads its passwords when it starts, and its Patroni goes on with them: after the change of one, a replica that
loses its connection cannot come back, and a pod that is promoted would set the former password again. So every pod
that was there before gets the rolling update flag: before the role is changed where that is done by SQL, so that a
crash between the two forgets nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.roles import WantedRoles
from pgherd.desired.secrets import Origin
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.instances import ROLLING_UPDATE_FLAG, ROLLING_UPDATE_REASON
from pgherd.plan.scene import Scene
from pgherd.plan.steps import PatchObject, SetSuperuserPassword, Step, Wait

LOOK_AGAIN = 10.0


def plan_login(scene: Scene, method: str) -> Iterator[Step]:
    """Let the superuser in again, whose login was refused."""
    leader, context = scene.observed.leader, scene.context
    name = context.config.users.super_username
    credential = context.credentials.get(name)
    # After a rotation the Secret names a role of its own, which may not exist at all.
    if leader is not None and credential is not None and credential.username == name:
        yield SetSuperuserPassword(
            reason="the database refuses the password in its Secret, which was lost or changed",
            namespace=scene.observed.key.namespace,
            pod=leader.name,
            uid=leader.uid,
            role=name,
            password=credential.password,
            method=method,
        )
        yield from _flags(scene, name)
    yield Wait(reason="roles and databases are read when the superuser can log in", seconds=LOOK_AGAIN)


def outdated_pods(scene: Scene, wanted: WantedRoles, catalogs: Catalogs) -> Iterator[Step]:
    """The flag for pods that were started with the former password of a role that they log in with."""
    if catalogs.in_recovery:
        return
    for role in wanted.roles.values():
        known = catalogs.roles.get(role.name)
        if role.origin is not Origin.SYSTEM or role.password is None or known is None:
            continue
        if known.verifier is None or not known.verifier.matches(role.name, role.password):
            yield from _flags(scene, role.name)
            return


def _flags(scene: Scene, role: str) -> Iterator[Step]:
    why = f"it was started with another password of role {role}"
    for instance in scene.observed.instances:
        if not instance.flagged and not instance.terminating:
            marks = {ROLLING_UPDATE_FLAG: "true", ROLLING_UPDATE_REASON: why}
            yield PatchObject(
                reason=why,
                kind="Pod",
                namespace=scene.observed.key.namespace,
                name=instance.name,
                uid=instance.uid,
                patch={"metadata": {"annotations": marks}},
                what="ask for a rolling update",
            )
