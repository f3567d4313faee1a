"""Certificates of the server and of Patroni's REST API (specification: instance 1.10).

Contents from the environment are written to their files; a key that is already there is left alone (a mounted Secret);
else a self-signed pair is made with the ``openssl`` program, so that connections are encrypted from the first one on.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from pgherd_instance.environment import Environment
from pgherd_instance.errors import ConfigurationError

VALID_DAYS = 3650


def provide(environment: Environment) -> None:
    """Raises ConfigurationError when a pair has to be made and ``openssl`` is missing or fails."""
    tls, real = environment.tls, environment.paths.real
    for path, text in tls.contents.items():
        _write(real(path), text)
    key = real(tls.key)
    if not key.exists():
        make_self_signed(real(tls.certificate), key, environment.name)


def make_self_signed(certificate: Path, key: Path, common_name: str) -> None:
    """An elliptic curve pair (P-256), valid for ten years; the key has mode 0600 from the moment it exists."""
    certificate.parent.mkdir(parents=True, exist_ok=True)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", str(VALID_DAYS), "-subj", f"/CN={common_name[:64]}"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, umask=0o077)
    except FileNotFoundError:
        raise ConfigurationError("openssl", "is not installed", "install it (apt-get install openssl)") from None
    except subprocess.CalledProcessError as error:
        raise ConfigurationError(
            "openssl", f"made no certificate: {error.stderr.strip()[-200:]}", "see above"
        ) from None


def files(environment: Environment) -> list[Path]:
    """Those whose change asks for a reload."""
    tls = environment.tls
    paths = (tls.certificate, tls.key, tls.ca, tls.crl, tls.rest_certificate, tls.rest_key, tls.rest_ca)
    return [environment.paths.real(path) for path in paths if path]


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text if text.endswith("\n") else text + "\n")
