"""Running a plan, section by section.

A section stops at its first failing step, unless its steps are independent. The SQL steps of a section always are,
because one role that the server refuses is no reason to keep the others waiting (spec lifecycle 4.6). Sections that
need a failed one are skipped, the others run. Whatever a step raises becomes a :class:`Failure`: no error of one
cluster leaves here but cancellation and the loss of leadership, which ends all work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby

from pgherd.act import members, objects, superuser
from pgherd.act.clients import Clients, Target
from pgherd.act.outcome import Failure, Outcome
from pgherd.act.sql import run_sql_steps
from pgherd.errors import DatabaseError, Fenced, PgherdError, Unreachable
from pgherd.plan.plan import Plan, Section
from pgherd.plan.sql_steps import SqlStep
from pgherd.plan.steps import (
    Adopt,
    Apply,
    CreateSecret,
    Delete,
    ForgetState,
    PatchDynamicConfiguration,
    PatchObject,
    RestartMember,
    SetSuperuserPassword,
    Step,
    Switchover,
    Wait,
)
from pgherd.postgres.connection import connect

Watcher = Callable[[Step], None]
"""Told of each step just before it runs, for events and logs."""


async def act(plan: Plan, clients: Clients, target: Target, starting: Watcher) -> Outcome:
    """Run all sections. Raises only Fenced and CancelledError."""
    done: list[Step] = []
    failures: dict[str, tuple[Failure, ...]] = {}
    skipped: list[str] = []
    for section in plan.sections:
        if any(need in failures or need in skipped for need in section.needs):
            skipped.append(section.concern)
            continue
        finished, failed = await _run_section(section, clients, target, starting)
        done += finished
        if failed:
            failures[section.concern] = tuple(failed)
    return Outcome(tuple(done), failures, tuple(skipped))


async def _run_section(
    section: Section, clients: Clients, target: Target, starting: Watcher
) -> tuple[list[Step], list[Failure]]:
    done: list[Step] = []
    failures: list[Failure] = []
    for step in section.steps:
        if isinstance(step, Wait | SqlStep):
            continue
        starting(step)
        try:
            await _run(step, clients)
        except Fenced:
            raise
        except PgherdError as error:
            failures.append(Failure(step, error))
            if not section.independent:
                return done, failures
            continue
        done.append(step)
    sql = [step for step in section.steps if isinstance(step, SqlStep)]
    if not sql:
        return done, failures
    finished, failed = await _run_sql(sql, clients, target, starting)
    return done + finished, failures + failed


async def _run(step: Step, clients: Clients) -> None:
    clients.check_leadership()
    match step:
        case Apply():
            await objects.apply(clients.kube, step)
        case Adopt():
            await objects.adopt(clients.kube, step)
        case CreateSecret():
            await objects.create_secret(clients.kube, step)
        case Delete():
            await objects.delete(clients.kube, step)
        case ForgetState():
            await objects.forget_state(clients.kube, step)
        case PatchObject():
            await objects.patch_object(clients.kube, step)
        case SetSuperuserPassword():
            await superuser.set_password(clients.kube, step)
        case PatchDynamicConfiguration():
            await members.patch_configuration(clients.http, step)
        case RestartMember():
            await members.restart(clients.http, step)
        case Switchover():
            await members.switchover(clients.http, step)
        case _:
            raise PgherdError(f"no executor for {type(step).__name__} ({step.describe()}); this is a bug in pgherd")


async def _run_sql(
    steps: Iterable[SqlStep], clients: Clients, target: Target, starting: Watcher
) -> tuple[list[Step], list[Failure]]:
    """One connection for each database. One that lets nobody in does not hold the others back; a lost server does."""
    done: list[Step] = []
    failed: list[Failure] = []
    for database, group in groupby(steps, key=lambda step: step.inside):
        here = tuple(group)
        clients.check_leadership()
        try:
            if target.database is None:
                raise Unreachable("no writable PostgreSQL is known; the steps are tried again when there is a leader")
            async with connect(replace(target.database, database=database), writable=True) as connection:
                for step in here:
                    starting(step)
                refused = await run_sql_steps(connection, here)
        except DatabaseError as error:
            failed.append(Failure(here[0], error))
            continue
        except PgherdError as error:
            return done, [*failed, Failure(here[0], error)]
        failed += [Failure(failure.step, failure.error) for failure in refused]
        missed = {id(failure.step) for failure in refused}
        done += [step for step in here if id(step) not in missed]
    return done, failed
