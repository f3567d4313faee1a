"""In which order members with a pending restart are restarted (lifecycle.md 3.7, W-14).

PostgreSQL refuses to run a hot standby with smaller values of five parameters than its primary wrote into WAL. An
increase must therefore reach the replicas first and a decrease the primary first. Apart from that replicas come first:
a value with which a server does not start is then found out on a replica.

The order is decided anew each time, from what is pending on each member; nothing is remembered. A mixture of increases
and decreases goes replicas, primary, and then what is still pending on the replicas, which are only decreases: a
replica that has nothing else to gain is not restarted before its primary, because it would come up as it is, again and
again. In a standby cluster that is true of every member: the primary is another cluster's, and its values are the least
that count here. Nobody is restarted there for a smaller one alone.
"""

from __future__ import annotations

from pgherd.facts.members import ClusterView, Member, Role

HOT_STANDBY_PARAMETERS = frozenset(
    {
        "max_connections",
        "max_locks_per_transaction",
        "max_prepared_transactions",
        "max_wal_senders",
        "max_worker_processes",
    }
)


def restart_order(view: ClusterView) -> tuple[Member, ...]:
    """The members to restart, first to last; the caller takes the first, and looks again when it is back."""
    follows = view.leader is not None and view.leader.role is Role.STANDBY_LEADER
    pending = [
        member for member in view.members if member.pending_restart and not (follows and _only_decreases(member))
    ]
    replicas = [member for member in pending if not member.is_leader]
    leaders = [member for member in pending if member.is_leader]
    waiting = [member for member in replicas if leaders and _only_decreases(member)]
    return (*(member for member in replicas if member not in waiting), *leaders, *waiting)


def _only_decreases(member: Member) -> bool:
    """Whether everything that is pending is a smaller value of one of the five; False where Patroni does not say."""
    changes = member.pending_changes
    return bool(changes) and all(
        change.parameter in HOT_STANDBY_PARAMETERS and _less(change.new, change.old) for change in changes
    )


def _less(new: str, old: str) -> bool:
    try:
        return int(new) < int(old)
    except ValueError:
        return False
