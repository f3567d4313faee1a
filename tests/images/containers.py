"""Containers of the built images, run by runc as a node's container engine would: with this machine's network, so that
nothing has to be set up, and with files, users and capabilities of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = float(os.environ.get("PGHERD_PATIENCE", "240"))
#: What containerd and docker leave to root (their documentation, "Runtime privilege and Linux capabilities").
USUAL_CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
    "CAP_AUDIT_WRITE",
)  # fmt: skip


def run(*words: str | Path, **options: Any) -> str:
    """What it prints; CalledProcessError if it fails, with its words."""
    made = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=PATIENCE, **options)
    if made.returncode:
        error = subprocess.CalledProcessError(made.returncode, words, made.stdout, made.stderr)
        error.add_note(made.stderr[-2000:])
        raise error
    return made.stdout.strip()


def image_name(name: str) -> str:
    """``postgres-debian`` is the image ``postgres`` with ``POSTGRESQL_SOURCE=debian``."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    image, dash, source = name.partition("-")
    variable = f"PGHERD_TEST_IMAGE_{name.upper().replace('-', '_')}"
    return os.environ.get(variable) or f"docker.io/pgherd/{image}:{version}{dash}{source}"


def missing(name: str) -> str:
    """Why containers of this image cannot run here, with the cure; empty when they can."""
    if os.geteuid() != 0:
        return "containers need root here: run as root"
    lacking = [program for program in ("buildah", "runc") if shutil.which(program) is None]
    if lacking:
        return f"no {' and no '.join(lacking)}: apt-get install {' '.join(lacking)}"
    found = subprocess.run(["buildah", "inspect", "--type", "image", image_name(name)], capture_output=True)
    return f"no image {image_name(name)}: {cure(name)}" if found.returncode else ""


def cure(name: str) -> str:
    image, _, source = name.partition("-")
    return f"POSTGRESQL_SOURCE={source} images/build.sh {image}" if source else "make images"


@contextlib.contextmanager
def mounted(name: str) -> Iterator[Path]:
    """The image's root file system."""
    container = run("buildah", "from", "--pull-never", image_name(name))
    try:
        yield Path(run("buildah", "mount", container))
    finally:
        run("buildah", "rm", container)


def outdated(root: Path, name: str) -> str:
    """Why the image was not built from this checkout, with the cure; empty when it was."""
    image = name.partition("-")[0]
    pairs = {ROOT / "images/pooler/pooler.py": root / "usr/lib/pgherd/pooler.py"} if image == "pooler" else {}
    if package := {"postgres": "pgherd_instance", "operator": "pgherd"}.get(image):
        source = ROOT / "src" / package
        there = root / "opt/pgherd/lib/python3.13/site-packages" / package
        files = (file for kind in ("*.py", "*.sql") for file in source.rglob(kind))
        pairs = {file: there / file.relative_to(source) for file in files}
    recipes = {"postgres": ("Containerfile", "extensions.py", "sources.py")}.get(name, ("Containerfile",))
    pairs |= {ROOT / "images" / image / recipe: root / "usr/share/pgherd" / recipe for recipe in recipes}
    if os.environ.get("ANY"):
        return ""
    for ours, theirs in pairs.items():
        if not theirs.is_file() or theirs.read_bytes() != ours.read_bytes():
            return f"the image {name} is older than {ours.relative_to(ROOT)}: {cure(name)}"
    return ""


@dataclass(frozen=True)
class Security:
    """As a pod's and a container's securityContext."""

    user: int
    group: int
    groups: Sequence[int] = ()
    capabilities: Sequence[str] = ()
    read_only: bool = False
    may_gain: bool = True


@dataclass
class Container:
    """One container of an image; ``folder`` holds its files, ``mounts`` are host folder by path inside,
    ``temporary`` the paths of volumes of the pod's own."""

    root: Path
    folder: Path
    security: Security
    environment: Mapping[str, str]
    mounts: Mapping[str, Path] = field(default_factory=dict)
    temporary: Sequence[str] = ()
    name: str = field(default_factory=lambda: f"pgherd-{secrets.token_hex(6)}")
    process: subprocess.Popen[bytes] | None = None

    @property
    def _runc(self) -> list[str]:
        return ["runc", "--root", str(self.folder / "state")]

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self, *command: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        run("runc", "spec", "--bundle", self.folder)
        file = self.folder / "config.json"
        file.write_text(json.dumps(self._configured(json.loads(file.read_text()), command)))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self._runc, "run", "--bundle", str(self.folder), self.name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _configured(self, spec: dict[str, Any], command: Sequence[str]) -> dict[str, Any]:
        security = self.security
        spec["root"] = {"path": str(self.root), "readonly": security.read_only}
        spec["process"] |= {
            "terminal": False,
            "args": list(command),
            "cwd": "/",
            "env": [f"{name}={value}" for name, value in self.environment.items()],
            "user": {"uid": security.user, "gid": security.group, "additionalGids": list(security.groups)},
            "noNewPrivileges": not security.may_gain,
            "capabilities": {
                kind: list(security.capabilities) if kind in ("bounding", "effective", "permitted") else []
                for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")
            },
            "rlimits": [],
        }
        # An emptyDir is a folder that all may write to, also where the image has one that they may not.
        empty = {path: self.folder / f"empty{path.replace('/', '-')}" for path in self.temporary}
        for folder in empty.values():
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        spec["mounts"] += [
            {"destination": path, "type": "bind", "source": str(source), "options": ["rbind", "rw"]}
            for path, source in {**empty, **self.mounts}.items()
        ]
        spec["linux"]["namespaces"] = [
            one for one in spec["linux"]["namespaces"] if one["type"] not in ("network", "cgroup")
        ]
        spec["linux"]["cgroupsPath"] = f"/{self.name}"
        return spec

    def exec(self, *command: str, user: str | None = None) -> str:
        """As ``kubectl exec``: in the container's environment, as its user unless another is named."""
        as_user = ["--user", user] if user else []
        return run(*self._runc, "exec", *as_user, self.name, *command)

    def status(self, program: str) -> dict[str, str]:
        """``/proc/PID/status`` of the first process whose command line holds this text, as the kernel says it."""
        for pid in sorted(json.loads(run(*self._runc, "ps", "--format", "json", self.name))):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if program in words:
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        raise LookupError(program)

    def wait(self, what: str, ready: Callable[[], object]) -> Any:
        """The first true answer; a failing command counts as no."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(subprocess.CalledProcessError, LookupError):
                if found := ready():
                    return found
            if self.process is None or self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise AssertionError(f"{what}: not within {PATIENCE} s, or it ended\n{self.log.read_text()[-6000:]}")

    def signal(self, number: int) -> None:
        """To the container's first process."""
        run(*self._runc, "kill", self.name, str(int(number)))

    def ended(self) -> int:
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        subprocess.run([*self._runc, "delete", "--force", self.name], capture_output=True, timeout=PATIENCE)
        if self.process is not None:
            self.process.wait(PATIENCE)
