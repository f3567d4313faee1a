"""Everything must also work without root: the pod tests once more, as nobody."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from localkube.node.sandbox import SandboxError, probe

SELECTION = "test_environment or test_the_end_of_a_pod or test_exec or takes_over or test_volumes"
NOBODY = 65534


@pytest.mark.skipif(os.getuid() != 0, reason="these tests run as an ordinary user already")
def test_pods_of_an_ordinary_user() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        sandbox = probe(Path(folder), user="nobody")
        tests = Path(__file__).with_name("test_pods.py")
        path = os.pathsep.join([*sandbox.pythonpath.split(os.pathsep), str(tests.parents[2])])
        plugins = ["-p", "no:cacheprovider", "-p", "no:xdist", "-q", "-k", SELECTION]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "TMPDIR": folder, "HOME": folder}
        done = subprocess.run(
            [*sandbox.become, sandbox.python, "-B", "-m", "pytest", *plugins, str(tests)],
            env=environment, cwd=tests.parents[3], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert " passed" in done.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="an ordinary user's pods run as that user")
def test_a_home_below_a_closed_folder_is_refused(tmp_path: Path) -> None:
    """PostgreSQL's programs would not find each other there, whatever Python can read."""
    tmp_path.chmod(0o700)
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(SandboxError, match=r"cannot enter .*/home: set PGHERD_HOME"):
        probe(home, user="nobody")
