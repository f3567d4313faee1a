"""Certificates, tokens and kubeconfigs: made once per folder, kept while it lives.

Every component of Kubernetes has the identity that Kubernetes gives it, and hence no more rights than in any other
cluster. The certificates are self-signed leaves, each its own authority: one for the API server, one by which the
kubelets know it, one whose key signs tokens of ServiceAccounts.
"""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from typing import Any

from client import PORT
from layout import CONTROL_PLANE, KEYS, NODES

IDENTITIES = {
    "admin": ("admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    **{node.name: (f"system:node:{node.name}", "system:nodes") for node in NODES},
}
"""Name of the kubeconfig to user and group."""
SERVICE = "kubernetes.default.svc.cluster.local"
NAMES = f"DNS:kubernetes.default.svc,DNS:{SERVICE},IP:{CONTROL_PLANE.address},IP:10.96.0.1,IP:127.0.0.1"


def make() -> None:
    """All that is missing. The list of tokens is last, and whole or not there."""
    KEYS.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate("apiserver", "/CN=kube-apiserver", NAMES)
    certificate("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "DNS:kubelet-client")
    certificate("accounts", "/CN=accounts", "DNS:accounts")
    if (KEYS / "tokens.csv").exists():
        return
    lines = []
    for name, (user, group) in IDENTITIES.items():
        token = secrets.token_hex(24)
        (KEYS / f"{name}.kubeconfig").write_text(json.dumps(kubeconfig(token)))
        lines.append(f'{token},{user},{user},"{group}"\n')
    partial = KEYS / "tokens.partial"
    partial.write_text("".join(lines))
    partial.rename(KEYS / "tokens.csv")


def certificate(name: str, subject: str, alternatives: str) -> None:
    """``name``.crt and ``name``.key, unless they are there; openssl writes the key first."""
    if (KEYS / f"{name}.crt").exists():
        return
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"]
    names = ["-subj", subject, "-addext", f"subjectAltName={alternatives}"]
    files = ["-keyout", f"{KEYS}/{name}.key", "-out", f"{KEYS}/{name}.crt"]
    subprocess.run(["openssl", "req", "-x509", *curve, *names, *files], check=True, capture_output=True)


def kubeconfig(token: str) -> dict[str, Any]:
    """Complete in itself, so that it can be copied."""
    authority = base64.b64encode((KEYS / "apiserver.crt").read_bytes()).decode()
    server = f"https://{CONTROL_PLANE.address}:{PORT}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "pgherd",
        "clusters": [{"name": "pgherd", "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": "pgherd", "user": {"token": token}}],
        "contexts": [{"name": "pgherd", "context": {"cluster": "pgherd", "user": "pgherd", "namespace": "default"}}],
    }
