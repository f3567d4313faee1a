"""How this machine starts a container's program: as which user, with which Python, and how it is ended for certain.

Every program has a shim for a parent, which outlives localkube and writes its own pid and, at the end, the exit code:

* where the kernel allows it, ``sh`` above ``unshare --pid --mount-proc``: the program is process 1 of a PID namespace,
  and the kernel kills all the rest when it ends, also while localkube is away. (The private mount namespace that comes
  with it holds one thing, the /proc by which Patroni recognises its postmaster; no other mount is made.)
* elsewhere ``reaper.py``, a child subreaper that kills what is left.

As root, pods run as an unprivileged user, who must be able to enter the home. Where that user cannot reach the
interpreter or the environment (a Python below a closed /root), the first cure that works is taken: the system's Python
of the same version with our packages, or the capability to read everything (CAP_DAC_READ_SEARCH), which spares us
moving anything.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from localkube.node import processes

SHIM = 'trap : TERM INT HUP; echo $$ > "$0.pid"; "$@"; echo $? > "$0.exit"'
READ_ALL = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
REACHABLE = "import os, ssl, sys; [os.stat(os.path.join(path, '.')) for path in sys.argv[1:]]"


class SandboxError(Exception):
    """Pods cannot run here; the message says why and what to do."""


@dataclass(frozen=True)
class Launch:
    """One start of a container. ``prefix`` is the path, without its ending, of the shim's files."""

    prefix: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path


@dataclass(frozen=True)
class Sandbox:
    uid: int
    gid: int
    python: str
    pythonpath: str
    become: tuple[str, ...] = ()
    """The words before a command that make it run as the pods' user."""
    namespace: tuple[str, ...] = ()
    """The words before a command that give it a PID namespace; empty where that is not allowed."""

    def start(self, launch: Launch) -> subprocess.Popen[bytes]:
        """The shim; the program is below it. Neither ends with us."""
        if self.namespace:
            shim = ["/bin/sh", "-c", SHIM, str(launch.prefix), *self.namespace]
        else:
            reaper = str(Path(__file__).with_name("reaper.py"))
            shim = [sys.executable, "-I", "-S", reaper, str(launch.prefix)]
        with launch.log.open("ab") as log:
            return subprocess.Popen(
                [*shim, *self.become, *launch.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(launch.environment),
                cwd=launch.folder,
                start_new_session=True,
            )

    def program(self, shim: int) -> int:
        """The program's pid on this machine, 0 if it has ended or not yet begun."""
        return processes.first_child(shim, 2 if self.namespace else 1)

    def enter(self, program: int, folder: Path, command: Sequence[str], *, tty: bool = False) -> list[str]:
        """The command line that runs one more command beside a running program.

        With ``tty`` its standard input becomes its controlling terminal; the session must begin inside the namespace,
        or a shell cannot do job control.
        """
        session = [_tool("setsid"), "--ctty", "--wait"] if tty else []
        inside = [*self.become, *session, _tool("env"), "-C", str(folder), *command]
        if not self.namespace:
            return inside
        user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
        return [_tool("nsenter"), "-t", str(program), *user, "-p", "-m", "--", *inside]

    def own(self, path: Path) -> None:
        """Hand a file or folder to the pods' user."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def probe(*places: Path, user: str = "", namespaces: bool = True) -> Sandbox:
    """Find out what works here, by trying; no PID namespaces if they are not wanted. Blocks some ten milliseconds.

    ``places`` are the folders that pods must reach: the home and the cache of packages.

    :raises SandboxError: when the pods' user cannot reach what it needs, by any way.
    """
    sandbox = Sandbox(os.geteuid(), os.getegid(), sys.executable, "")
    if os.geteuid() == 0:
        sandbox = _unprivileged(sandbox, places, user)
    tool = shutil.which("unshare")
    if tool and namespaces:
        own_user = () if os.geteuid() == 0 else ("--user", "--map-current-user")
        namespace = (tool, *own_user, "--pid", "--fork", "--mount-proc", "--")
        if _works([*namespace, *sandbox.become, "/bin/true"]):
            sandbox = replace(sandbox, namespace=namespace)
    return sandbox


def _unprivileged(sandbox: Sandbox, places: Sequence[Path], user: str) -> Sandbox:
    entry = _user(user)
    become = (_tool("setpriv"), f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    # Before the capability below: PostgreSQL's programs look for each other by access(2), which knows none of it.
    if closed := [str(place) for place in places if not _works([*become, _tool("env"), "ls", "-d", f"{place}/."])]:
        raise SandboxError(
            f"as root, pods run as user {entry.pw_name}, who cannot enter {', '.join(closed)}: set PGHERD_HOME to a "
            "folder that all may enter, such as /var/lib/pgherd, or run as an ordinary user"
        )
    packages = [path for path in sys.path if os.path.isdir(path) and not path.startswith(sys.base_prefix + os.sep)]
    system = "/usr/bin/python3"
    reached = [sys.executable, *map(str, places), *packages]
    ways = [
        (become, sys.executable, ""),
        (become, system, os.pathsep.join(packages)),
        ((*become, *READ_ALL), sys.executable, ""),
    ]
    for words, python, path in ways:
        if python == system and not _same_version(system):
            continue
        # By way of env: setpriv itself still has root's capabilities when it looks the program up, the program has not.
        if _works([*words, _tool("env"), f"PYTHONPATH={path}", python, "-c", REACHABLE, *reached[1:]]):
            return replace(
                sandbox, uid=entry.pw_uid, gid=entry.pw_gid, python=python, pythonpath=path, become=(*words, "--")
            )
    raise SandboxError(
        f"as root, pods run as user {entry.pw_name}, who cannot reach all of {', '.join(reached)}: install below "
        f"a folder that all may enter and set PGHERD_HOME to one, or run as an ordinary user"
    )


def _user(name: str) -> pwd.struct_passwd:
    for candidate in [name] if name else ["postgres", "nobody"]:
        try:
            return pwd.getpwnam(candidate)
        except KeyError:
            continue
    raise SandboxError(f"no user {name or 'nobody'} on this machine to run pods as")


def _same_version(python: str) -> bool:
    question = [python, "-c", "import sys; print(sys.version_info[:2])"]
    return os.path.exists(python) and _answer(question) == str(tuple(sys.version_info[:2]))


def _answer(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _works(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, cwd="/", timeout=30, check=False, capture_output=True).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _tool(name: str) -> str:
    path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if not path:
        raise SandboxError(f"{name} is missing: sudo apt-get install util-linux coreutils")
    return path
