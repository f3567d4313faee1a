"""Certificates, tokens and kubeconfigs: made once per home, kept while it lives.

Every component has the identity that Kubernetes gives it (``system:kube-scheduler``, ``system:node:node-1`` …) and
hence no more rights than in any other cluster. The certificates are self-signed leaves, each its own authority: one
for the API server, one by which the kubelets know it.
"""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from layout import API_SERVER, API_SERVICE, CONTROL_PLANE, NODES, Home

IDENTITIES: Mapping[str, tuple[str, str]] = {
    "admin": ("admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "coredns": ("system:coredns", ""),
    "volumes": ("system:volumes", ""),
    **{node.name: (f"system:node:{node.name}", "system:nodes") for node in NODES},
}
"""Name of the kubeconfig to user and group."""


def make(home: Home) -> None:
    """All that is missing; files are readable by their owner only."""
    folder = home.credentials
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    addresses = [CONTROL_PLANE.address, API_SERVICE, "127.0.0.1"]
    alternatives = ",".join([*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in addresses)])
    certificate(folder / "apiserver", "/CN=kube-apiserver", alternatives)
    certificate(folder / "kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client")
    if not (folder / "accounts.key").exists():
        openssl("genrsa", "-out", str(folder / "accounts.key"), "2048")
    tokens = folder / "tokens.csv"
    if tokens.exists():
        return
    drawn = {name: secrets.token_hex(24) for name in IDENTITIES}
    for name, token in drawn.items():
        text = json.dumps(kubeconfig(folder / "apiserver.crt", token))
        write(folder / f"{name}.kubeconfig", text)
    lines = [f'{drawn[name]},{user},{user},"{group}"' for name, (user, group) in IDENTITIES.items()]
    write(tokens, "\n".join(lines) + "\n")


def certificate(path: Path, subject: str, alternatives: str = "") -> None:
    """``path``.crt and ``path``.key, unless they are there."""
    if path.with_suffix(".crt").exists():
        return
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"]
    names = ["-addext", f"subjectAltName={alternatives}"] if alternatives else []
    files = ["-keyout", str(path.with_suffix(".key")), "-out", str(path.with_suffix(".crt"))]
    openssl("req", "-x509", *curve, "-subj", subject, *names, *files)


def kubeconfig(authority: Path, token: str) -> dict[str, Any]:
    """Complete in itself, so that it can be copied."""
    data = base64.b64encode(authority.read_bytes()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "pgherd",
        "clusters": [{"name": "pgherd", "cluster": {"server": API_SERVER, "certificate-authority-data": data}}],
        "users": [{"name": "pgherd", "user": {"token": token}}],
        "contexts": [{"name": "pgherd", "context": {"cluster": "pgherd", "user": "pgherd", "namespace": "default"}}],
    }


def write(path: Path, text: str) -> None:
    """Whole or not at all, mode 0600."""
    partial = path.with_name(path.name + ".partial")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.rename(path)


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
