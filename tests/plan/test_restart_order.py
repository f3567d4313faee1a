"""Whose PostgreSQL restarts first."""

from __future__ import annotations

from pgherd.facts.members import ClusterView, Member, PendingChange, Role
from pgherd.plan.restart_order import restart_order

UP = PendingChange("max_connections", "100", "200")
DOWN = PendingChange("max_connections", "200", "100")
DOWN_TOO = PendingChange("max_wal_senders", "10", "9")
OTHER = PendingChange("wal_level", "replica", "logical")


def order(*pending: tuple[PendingChange, ...] | None, leader: Role = Role.LEADER) -> list[str]:
    """``pending`` by member, the first leads; None: nothing is pending."""
    return [
        member.name
        for member in restart_order(
            ClusterView(
                members=tuple(
                    Member(
                        name=f"db-{number}",
                        role=Role.REPLICA if number else leader,
                        state="streaming" if number else "running",
                        timeline=1,
                        lag=0,
                        pending_restart=changes is not None,
                        pending_changes=changes or (),
                    )
                    for number, changes in enumerate(pending)
                )
            )
        )
    ]


def test_nothing_pending() -> None:
    assert order(None, None) == []


def test_increase_reaches_replicas_first() -> None:
    assert order((UP,), (UP,), (UP,)) == ["db-1", "db-2", "db-0"]


def test_decrease_reaches_the_primary_first() -> None:
    assert order((DOWN,), (DOWN,), (DOWN, DOWN_TOO)) == ["db-0", "db-1", "db-2"]


def test_numbers_are_compared_as_numbers() -> None:
    assert order((DOWN_TOO,), (DOWN_TOO,)) == ["db-0", "db-1"]


def test_anything_else_is_tried_on_a_replica_first() -> None:
    assert order((DOWN, OTHER), (DOWN, OTHER)) == ["db-1", "db-0"]
    assert order((DOWN,), (DOWN, UP)) == ["db-1", "db-0"]


def test_leftover_decrease_on_replicas() -> None:
    assert order(None, (DOWN,), None) == ["db-1"]


def test_a_replica_whose_rest_is_a_decrease_waits_for_its_primary() -> None:
    """A mixture: the replica was restarted for all but the decrease, which it takes over only after its primary."""
    assert order((DOWN, OTHER), (DOWN,)) == ["db-0", "db-1"]
    assert order((DOWN, OTHER), (DOWN,), (DOWN, OTHER)) == ["db-2", "db-0", "db-1"]


def test_old_patroni_gives_no_reason() -> None:
    assert order((), ()) == ["db-1", "db-0"]


def test_a_standby_cluster_is_not_restarted_for_what_its_source_decides() -> None:
    """It comes up with the larger value of its source, still pending, and would be restarted again and again."""
    assert order((DOWN,), (DOWN, DOWN_TOO), leader=Role.STANDBY_LEADER) == []
    assert order((DOWN,), (UP,), (DOWN, OTHER), leader=Role.STANDBY_LEADER) == ["db-1", "db-2"]
    assert order((UP,), (UP,), leader=Role.STANDBY_LEADER) == ["db-1", "db-0"]
