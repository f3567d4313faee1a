"""Install pgherd into a Kubernetes cluster, or uninstall it: `make install`, `make uninstall`.

The cluster is that of KUBECONFIG; else the one of `make kubernetes`, if it runs here (its network is entered); else
that of ~/.kube/config. With Helm, if it is there, the chart is installed as release `pgherd`; without, the plain
manifests are applied. What was installed one way is updated and removed the same way. Uninstalling stops the operator
and nothing else: the CRDs, all clusters, and what their pods stand on stay.

    python3 hack/install.py install [further words for helm upgrade]
    python3 hack/install.py uninstall

INSTALL_TIMEOUT (300s) is how long to wait for the operator to be ready.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import helm

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CHART = ROOT / "charts/pgherd"
MANIFESTS = ROOT / "manifests"
NAME = "pgherd"
TIMEOUT = os.environ.get("INSTALL_TIMEOUT", "300s")
ENTERED = "PGHERD_INSTALL_ENTERED"


def main(words: list[str]) -> int:
    if not words or words[0] not in ("install", "uninstall"):
        print(__doc__)
        return 2
    if "KUBECONFIG" not in os.environ and local_cluster_runs():
        say("into the cluster of `make kubernetes`")
        command = [sys.executable, str(HERE / "kubernetes"), "enter", sys.executable, __file__, *words]
        return subprocess.run(command, env={**os.environ, ENTERED: "1"}, check=False).returncode
    if not shutil.which("kubectl"):
        raise SystemExit("install: kubectl is not on the path. Cure: install it, version 1.27 or newer")
    if kubectl("version", quiet=True):
        raise SystemExit(
            f"install: no cluster answers ({shown_config()}). Cure: set KUBECONFIG, or as root: make kubernetes images"
        )
    if ENTERED not in os.environ:
        say(f"into the cluster of {shown_config()}")
    return install(words[1:]) if words[0] == "install" else uninstall()


def install(more: list[str]) -> int:
    found = helm.present()
    if found and not was_applied():
        place = ["--namespace", NAME, "--create-namespace"]
        wait = ["--wait", "--timeout", TIMEOUT]
        if managed_by("clusterrole", "postgres-pod") == "nobody":
            say("what database pods stand on was applied from manifests/ formerly; Helm takes it over")
            wait += ["--take-ownership", *(["--force-conflicts"] if is_helm_4(found) else [])]
        return run(str(found), "upgrade", "--install", NAME, str(CHART), *place, *wait, *more)
    if more:
        raise SystemExit("install: values need Helm; without it, use an overlay of manifests/ (docs/install.md)")
    # By force: the operator itself may have brought a CRD up to date since.
    files = [
        word for name in ("namespace", "crds", "database-pods") for word in ("-f", str(MANIFESTS / f"{name}.yaml"))
    ]
    code = kubectl("apply", "--server-side", "--force-conflicts", *files, "-f", str(MANIFESTS / "operator.yaml"))
    return code or kubectl("-n", NAME, "rollout", "status", f"deployment/{NAME}", f"--timeout={TIMEOUT}")


def uninstall() -> int:
    found = helm.present()
    if was_applied():
        code = kubectl("delete", "--ignore-not-found", "-f", str(MANIFESTS / "operator.yaml"))
    elif not found:
        raise SystemExit("uninstall: it was not installed from manifests/, and Helm is not on the path")
    else:
        code = run(str(found), "uninstall", NAME, "--namespace", NAME, "--wait", "--ignore-not-found")
    if not code:
        say("the operator is gone; the CRDs, all clusters, and what their pods stand on are still there")
    return code


def was_applied() -> bool:
    """Whether the Deployment is there and Helm did not make it."""
    return managed_by("deployment", NAME) not in ("", "Helm")


def managed_by(kind: str, name: str) -> str:
    """Who an object says that it is managed by; ``nobody`` without a word, empty when it is not there."""
    label = r"jsonpath={.metadata.name}/{.metadata.labels.app\.kubernetes\.io/managed-by}"
    command = ["kubectl", "-n", NAME, "get", kind, name, "--ignore-not-found", "-o", label]
    there, _, manager = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().partition("/")
    )
    return (manager or "nobody") if there else ""


def is_helm_4(program: Path) -> bool:
    """It applies on the server's side, where field owners count; Helm 3.17 and newer know only the first flag."""
    command = [str(program), "version", "--template", "{{.Version}}"]
    return not subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("v3")


def local_cluster_runs() -> bool:
    if os.geteuid():
        return False
    command = [sys.executable, str(HERE / "kubernetes"), "enter", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def shown_config() -> str:
    return os.environ.get("KUBECONFIG") or "~/.kube/config"


def kubectl(*words: str, quiet: bool = False) -> int:
    if quiet:
        return subprocess.run(["kubectl", *words], capture_output=True, check=False).returncode
    return run("kubectl", *words)


def run(*words: str) -> int:
    print("+", *[os.path.relpath(word) if word.startswith(str(ROOT)) else word for word in words], flush=True)
    return subprocess.run(words, check=False).returncode


def say(text: str) -> None:
    print(f"install: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
