"""Who may connect (specification: instance 1.9). ``md5`` also accepts SCRAM verifiers."""

from __future__ import annotations

from collections.abc import Sequence

from pgherd_instance.environment import Environment


def lines(environment: Environment, *, pam: bool) -> list[str]:
    """First match wins. ``pam`` says that the server knows the method; without it the line would stop the server."""
    human = f"+{environment.human_role}"
    replication = environment.replication.name
    with_pam = bool(environment.pam_oauth2) and pam

    def people(address: str) -> list[str]:
        return [f"hostssl all {human} {address} pam"] if with_pam else []

    return [
        "local all all trust",
        *people("127.0.0.1/32"),
        "host all all 127.0.0.1/32 md5",
        *people("::1/128"),
        "host all all ::1/128 md5",
        f"local replication {replication} trust",
        f"hostssl replication {replication} all md5",
        *([] if environment.allow_nossl else ["hostnossl all all all reject"]),
        *people("all"),
        "host all all all md5" if environment.allow_nossl else "hostssl all all all md5",
    ]


def completed(user: Sequence[str], environment: Environment) -> tuple[list[str], list[str]]:
    """(the user's lines, then what the cluster itself cannot do without; the lines that were added).

    The reference takes the list as it is. Without a ``local`` line Patroni cannot reach its own server and without a
    replication line no replica can join, so both are added at the end, where they take nothing from the user's lines.
    """
    replication = environment.replication.name
    added = []
    if not any(line.split()[:1] == ["local"] and line.split()[1:2] != ["replication"] for line in user):
        added.append(f"local all {environment.superuser.name} trust")
    if not any("replication" in field for line in user for field in line.split()[1:2]):
        added += [f"local replication {replication} trust", f"hostssl replication {replication} all md5"]
    return [*user, *added], added
