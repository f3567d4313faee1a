"""The user that the pod runs as, known by name (specification: instance 1.1, 1.2, steps 5 and 7).

PostgreSQL refuses root, and initdb refuses a user id that has no name. Kubernetes may choose any id (OpenShift always
does), and the image is read-only then. So the image asks a second file for users (``libnss-extrausers``), which is a
link into the runtime folder, and an unknown id becomes ``postgres`` there.

A container that starts as root, as the reference's image does, gives the volume to ``postgres`` and goes on as that
user, for good: no capability is left, and none can be had again (``setpriv``).
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pgherd_instance.errors import ConfigurationError
from pgherd_instance.paths import Paths

#: Its name in the image; ``libnss-extrausers`` knows no other.
USERS = Path("/var/lib/extrausers/passwd")
NAME = "postgres"
_CAN_DROP = 8
"""Number of CAP_SETPCAP."""


def ensure(users: Path = USERS, home: str = "/home/postgres") -> None:
    """Raises ConfigurationError for root, and for an unknown id where the second file can't be written."""
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        raise ConfigurationError(
            "the container's user", "is root, as whom PostgreSQL does not run", "set runAsUser (spiloRunAsUser)"
        )
    try:
        pwd.getpwuid(uid)
    except KeyError:
        try:
            users.write_text(f"{NAME}:x:{uid}:{gid}:PostgreSQL:{home}:/bin/bash\n")
        except OSError as error:
            raise ConfigurationError(
                "the container's user",
                f"{uid} has no name, and {users} cannot be written ({error.strerror})",
                "give the pod a writable /run, or run it as a user that the image knows (101)",
            ) from None


def leave_root(paths: Paths) -> NoReturn:
    """Give ``postgres`` what it writes, and start this program anew as ``postgres``.

    :raises ConfigurationError: there is no such user, or root may not do it here.
    """
    try:
        found = pwd.getpwnam(NAME)
    except KeyError:
        raise ConfigurationError("the container's user", f"is root, and {NAME} is unknown", "use our image") from None
    try:
        for folder in (paths.run_dir, paths.certificates, paths.real(paths.pgroot), paths.log, paths.data):
            folder.mkdir(parents=True, exist_ok=True)
        os.chown(paths.run_dir, found.pw_uid, found.pw_gid)
        for tree in (paths.certificates, paths.real(paths.pgroot), paths.log, paths.data):
            give(tree, found.pw_uid, found.pw_gid)
        command = stepping_down(found, os.getgroups(), can_drop=_has_capability(_CAN_DROP))
        sys.stderr.flush()
        os.execvp(command[0], command)
    except OSError as error:
        raise ConfigurationError(
            "the container's user",
            f"is root, and root may not become {NAME} here ({error})",
            f"set runAsUser to {found.pw_uid} (spiloRunAsUser), or leave root its capabilities",
        ) from None


def give(tree: Path, uid: int, gid: int) -> int:
    """Change the owner of all below a folder, where it is another; returns how many there were.

    Links are changed, never followed, also not when somebody exchanges a folder meanwhile (sidecars share the volume).
    """
    changed = 0
    for _, folders, files, fd in os.fwalk(tree, follow_symlinks=False):
        for name in (".", *folders, *files):
            try:
                owner = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if (owner.st_uid, owner.st_gid) != (uid, gid):
                    os.chown(name, uid, gid, dir_fd=fd, follow_symlinks=False)
                    changed += 1
            except FileNotFoundError:
                continue
    return changed


def stepping_down(found: pwd.struct_passwd, groups: Sequence[int], *, can_drop: bool) -> list[str]:
    """The command that becomes ``postgres`` and runs this package's main program.

    The pod's groups stay, for certificates are readable to ``fsGroup``; root's own does not.
    """
    kept = sorted({found.pw_gid, *groups} - {0})
    return [
        "setpriv",
        f"--reuid={found.pw_uid}",
        f"--regid={found.pw_gid}",
        f"--groups={','.join(map(str, kept))}",
        "--inh-caps=-all",
        "--ambient-caps=-all",
        *(["--bounding-set=-all"] if can_drop else []),
        "--no-new-privs",
        sys.executable,
        "-m",
        "pgherd_instance",
    ]


def _has_capability(number: int) -> bool:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return bool(int(lines["CapEff"], 16) >> number & 1)
