"""Secret, database and pods agree on the passwords that pods log in with; nobody stays locked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from psycopg.pq import PGconn

from controllers.told import events_of
from golden.files import PASSWORD
from pgherd.controllers.planning import superuser_address
from pgherd.desired.replicas import replica_count
from pgherd.facts.catalogs import Catalogs, RoleFacts
from pgherd.facts.instances import ROLLING_UPDATE_FLAG, ROLLING_UPDATE_REASON
from pgherd.facts.secret import Secret
from pgherd.facts.unknown import LoginRefused, Unknown
from pgherd.facts.verifiers import Verifier
from pgherd.plan.plan import Plan
from pgherd.plan.planner import plan_cluster
from pgherd.plan.scene import Scene
from pgherd.plan.status import Account, derive_status
from pgherd.plan.steps import PatchObject, SetSuperuserPassword
from pgherd.postgres.statements import make_verifier
from plan.worlds import LEADER, REPLICA, TERMINATING, One, effects, lines, scene

SUPERUSER = "Secret/postgres.acid-demo.credentials.postgresql.acid.zalan.do"
REFUSED = LoginRefused("database postgres@10.0.0.0:5432/postgres: login refused: password authentication failed")
FLAGS = [f"ask for a rolling update on Pod/acid-demo-{ordinal}" for ordinal in (0, 1)]


def refused(*members: One, because: Unknown = REFUSED, **around: Any) -> tuple[Scene, Plan]:
    seen = scene(list(members) or [LEADER, REPLICA], **around)
    seen = replace(seen, observed=replace(seen.observed, catalogs=because))
    return seen, plan_cluster(seen)


def test_a_superuser_who_is_refused_gets_the_password_of_the_secret_and_pods_start_anew_with_it() -> None:
    seen, made = refused()
    assert effects(made) == ["set the password of role/postgres in Pod/acid-demo-0", *FLAGS]
    step = next(step for step in made.steps if isinstance(step, SetSuperuserPassword))
    assert (step.uid, step.password, step.method) == ("uid-of-acid-demo-0", Secret(PASSWORD), "scram-sha-256")
    assert PASSWORD not in repr(made)
    assert made.wait == 10.0
    assert events_of(made) == [
        "Normal Update set the password of role/postgres in Pod/acid-demo-0: the database refuses the password in its "
        "Secret, which was lost or changed"
    ]
    # The pods that were seen, and no others of the same name.
    marks = [step for step in made.steps if isinstance(step, PatchObject)]
    assert [mark.uid for mark in marks] == ["uid-of-acid-demo-0", "uid-of-acid-demo-1"]
    assert marks[0].patch["metadata"]["annotations"] == {
        ROLLING_UPDATE_FLAG: "true",
        ROLLING_UPDATE_REASON: "it was started with another password of role postgres",
    }
    status = derive_status(Account(seen.observed, made, replica_count(seen.context)), "now")
    assert "login refused" not in str(status)


def test_pods_that_have_the_flag_or_go_are_left_alone() -> None:
    _, made = refused(LEADER.but(flagged=True), REPLICA, TERMINATING)
    assert effects(made, "roles") == ["set the password of role/postgres in Pod/acid-demo-0", FLAGS[1]]


@pytest.mark.parametrize("because", [Unknown("no route"), Unknown("login refused: no pg_hba.conf entry")], ids=str)
def test_any_other_reason_sets_no_password(because: Unknown) -> None:
    _, made = refused(because=because)
    assert effects(made) == []


def test_a_rotated_superuser_is_a_role_of_its_own() -> None:
    seen = scene([LEADER])
    credentials = {**seen.context.credentials, "postgres": replace(seen.context.credentials["postgres"], username="p9")}
    seen = replace(
        seen,
        context=replace(seen.context, credentials=credentials),
        observed=replace(seen.observed, catalogs=REFUSED),
    )
    assert effects(plan_cluster(seen)) == []


def test_a_lost_secret_is_made_first_and_nobody_logs_in_with_a_password_that_is_nowhere() -> None:
    seen = scene([LEADER, REPLICA], without=[SUPERUSER])
    assert superuser_address(seen.observed, seen.context) is None
    assert effects(plan_cluster(seen)) == [f"create {SUPERUSER}"]
    known = scene([LEADER, REPLICA])
    assert superuser_address(known.observed, known.context) is not None


def verifier_of(role: str, password: str) -> Verifier:
    return Verifier(make_verifier(PGconn.connect_start(b"host=/nonexistent"), role, Secret(password)).reveal())


def replication(password: str | None, members: Sequence[One] = (LEADER, REPLICA), **more: Any) -> list[str]:
    """``password`` is what the database has for ``standby``."""
    found = {"postgres": PASSWORD, "standby": password}
    known = {
        name: RoleFacts(
            name,
            frozenset({"LOGIN", "INHERIT", "SUPERUSER", "REPLICATION"}),
            verifier=None if text is None else verifier_of(name, text),
        )
        for name, text in found.items()
    }
    seen = scene(list(members))
    catalogs = Catalogs(server_version=180000, in_recovery=False, roles=known, databases={}, **more)
    return lines(plan_cluster(replace(seen, observed=replace(seen.observed, catalogs=catalogs))))


@pytest.mark.parametrize("password", ["former", None])
def test_pods_are_marked_before_the_password_that_they_replicate_with_changes(password: str | None) -> None:
    why = "its password is not the one in its Secret" if password else "it has no password"
    marked = "it was started with another password of role standby"
    assert replication(password) == [*(f"{flag} ({marked})" for flag in FLAGS), f"alter role/standby: password ({why})"]


def test_a_password_that_fits_marks_nothing() -> None:
    assert replication(PASSWORD) == []
