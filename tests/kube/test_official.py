"""In processes of their own: what was imported once stays imported."""

from __future__ import annotations

import subprocess
import sys

UNWANTED = {"kubernetes.client", "kubernetes.dynamic", "kubernetes.aio.dynamic", "jsonschema", "requests"}
AS_USUAL = """
import pgherd.kube.official
import kubernetes, kubernetes.aio, kubernetes.aio.config
assert kubernetes.aio.config.load_kube_config is pgherd.kube.official.load_kube_config
assert kubernetes.aio.watch.Watch
assert kubernetes.__version__
assert kubernetes.client.Configuration
assert not hasattr(kubernetes, "nothing_of_that_name")
"""
FROM_IT = "import pgherd.kube.official; from kubernetes import client, dynamic; assert dynamic.DynamicClient"
BEFORE = (
    "import kubernetes; client = kubernetes.client; import pgherd.kube.official; assert kubernetes.client is client"
)


def said(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_operator_has_nothing_of_the_synchronous_client() -> None:
    imported = said("import sys, pgherd.main; print(*sys.modules)").split()
    assert "kubernetes.aio.config" in imported
    assert not UNWANTED & set(imported)


def test_to_others_the_client_is_as_usual() -> None:
    for program in (AS_USUAL, FROM_IT, BEFORE):
        said(program)
