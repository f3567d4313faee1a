"""The Spilo environment contract, parsed (specification: instance 1.4, 1.24).

One frozen value per group of variables. Parsing is pure: a mapping goes in, and every fault names its variable and the
cure. A boolean is off for ``false``, ``0``, ``no``, ``off`` and the empty string, whatever the case, and on for any
other text (the reference takes ``"false"`` for on: 1.25, 9). Passwords are kept out of ``repr``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pgherd_instance.errors import ConfigurationError
from pgherd_instance.paths import Paths

OFF = frozenset({"", "0", "false", "no", "off"})
SECRET_FILES = ("PGPASSWORD_SUPERUSER", "PGPASSWORD_STANDBY")


@dataclass(frozen=True)
class Role:
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Tls:
    """Paths of the contract; ``contents`` maps such a path to a PEM text that arrived in the environment."""

    certificate: str
    key: str
    ca: str
    crl: str
    rest_certificate: str
    rest_key: str
    rest_ca: str
    contents: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Kubernetes:
    """How Patroni keeps its state in Kubernetes. ``settings`` are the documented keys that need no treatment."""

    use_endpoints: bool
    labels: Mapping[str, str]
    bootstrap_labels: Mapping[str, str]
    bypass_api_service: bool
    context: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Standby:
    host: str
    port: str
    slot: str


@dataclass(frozen=True)
class Environment:
    """``variables`` is the whole mapping, for what is only handed on (service discovery, the other DCS)."""

    scope: str
    name: str
    namespace: str
    pod_ip: str
    listen: str
    port: int
    api_port: int
    version: str
    superuser: Role
    replication: Role
    human_role: str
    pam_oauth2: str
    allow_nossl: bool
    initdb_locale: str
    initdb_locale_given: bool
    initdb_merge: bool
    hourly_logs: bool
    pg_mon: bool
    callback: str
    memory_limit: int | None
    rest_address: str
    pg_address: str
    clone_method: str
    standby: Standby | None
    kubernetes: Kubernetes | None
    tls: Tls
    paths: Paths
    user: Mapping[str, Any] = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)


def is_on(text: str) -> bool:
    return text.strip().lower() not in OFF


def with_secret_files(variables: Mapping[str, str]) -> dict[str, str]:
    """``<NAME>_FILE`` names a file with the password; the variable itself wins. Raises ConfigurationError."""
    merged = dict(variables)
    for name in SECRET_FILES:
        path = variables.get(f"{name}_FILE")
        if path and not variables.get(name):
            try:
                merged[name] = Path(path).read_text().strip()
            except OSError as error:
                raise ConfigurationError(
                    f"{name}_FILE", f"{path} cannot be read ({error.strerror})", "mount the file"
                ) from None
    return merged


def parse(variables: Mapping[str, str]) -> Environment:
    """Read the contract. Raises ConfigurationError that names the variable."""
    get = variables.get
    root = get("PGHERD_POD_ROOT", "")
    if root and not root.startswith("/"):
        raise ConfigurationError("PGHERD_POD_ROOT", f"{root} is not an absolute path", "give an absolute path")
    paths = _paths(variables, root)
    scope = get("SCOPE") or "dummy"
    name = get("HOSTNAME") or ""
    if not name:
        raise ConfigurationError("HOSTNAME", "is empty", "set it to the name of the pod, as Kubernetes does")
    pod_ip = get("POD_IP") or get("PGHERD_LISTEN_ADDRESS") or ""
    if not pod_ip:
        raise ConfigurationError("POD_IP", "is empty", "set it to the address of the pod (status.podIP)")
    port, api_port = _port(variables, "PGPORT", 5432), _port(variables, "APIPORT", 8008)
    return Environment(
        scope=scope,
        name=name,
        namespace=get("NAMESPACE") or get("POD_NAMESPACE") or "default",
        pod_ip=pod_ip,
        listen=get("PGHERD_LISTEN_ADDRESS", ""),
        port=port,
        api_port=api_port,
        version=get("PGVERSION", "").partition(".")[0],
        superuser=Role(get("PGUSER_SUPERUSER") or "postgres", get("PGPASSWORD_SUPERUSER") or "zalando"),
        replication=Role(get("PGUSER_STANDBY") or "standby", get("PGPASSWORD_STANDBY") or "standby"),
        human_role=get("HUMAN_ROLE") or "zalandos",
        pam_oauth2=_pam(get("PAM_OAUTH2", "")),
        allow_nossl=is_on(get("ALLOW_NOSSL", "")),
        initdb_locale=f"{get('INITDB_LOCALE') or 'en_US'}.UTF-8",
        initdb_locale_given=bool(get("INITDB_LOCALE")),
        initdb_merge=is_on(get("PGHERD_INITDB_MERGE", "true")),
        hourly_logs=get("LOG_SHIP_HOURLY", "").lower() == "true",
        pg_mon=get("ENABLE_PG_MON", "").lower() == "true",
        callback=get("CALLBACK_SCRIPT", ""),
        memory_limit=_bytes(variables, "PGHERD_MEMORY_LIMIT"),
        rest_address=get("RESTAPI_CONNECT_ADDRESS") or host_port(pod_ip, api_port),
        pg_address=get("PG_CONNECT_ADDRESS") or host_port(pod_ip, port),
        clone_method=_clone_method(variables),
        standby=_standby(variables),
        kubernetes=_kubernetes(variables),
        tls=_tls(variables),
        paths=paths,
        user=_user(variables),
        variables=dict(variables),
    )


def host_port(host: str, port: int) -> str:
    """IPv6 addresses in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _paths(variables: Mapping[str, str], root: str) -> Paths:
    home = variables.get("PGHOME") or "/home/postgres"
    pgroot = variables.get("PGROOT") or f"{home}/pgdata/pgroot"
    return Paths(
        root=Path(root) if root else None,
        home=home,
        pgroot=pgroot,
        pgdata=variables.get("PGDATA") or f"{pgroot}/data",
        pglog=variables.get("PGLOG") or f"{pgroot}/pg_log",
        run=variables.get("RW_DIR") or "/run",
    )


def _port(variables: Mapping[str, str], name: str, default: int) -> int:
    text = variables.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigurationError(name, f"{text!r} is not a port", "give a number between 1 and 65535")
    return int(text)


def _bytes(variables: Mapping[str, str], name: str) -> int | None:
    text = variables.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or int(text) == 0:
        raise ConfigurationError(name, f"{text!r} is not a number of bytes", "give a positive number of bytes")
    return int(text)


def _pam(text: str) -> str:
    words = text.split()
    if words and (len(words) < 2 or not words[0].startswith("https://")):
        raise ConfigurationError(
            "PAM_OAUTH2", "needs an https address and at least one more word", "correct it, or leave it empty"
        )
    return text


def _clone_method(variables: Mapping[str, str]) -> str:
    method = variables.get("CLONE_METHOD", "")
    if method and method not in {"CLONE_WITH_WALE", "CLONE_WITH_WALG", "CLONE_WITH_BASEBACKUP"}:
        raise ConfigurationError(
            "CLONE_METHOD", f"{method!r} is unknown", "use CLONE_WITH_WALG, CLONE_WITH_WALE or CLONE_WITH_BASEBACKUP"
        )
    if method and not variables.get("CLONE_SCOPE"):
        raise ConfigurationError("CLONE_SCOPE", f"is missing although CLONE_METHOD is {method}", "name the source")
    return method


def _standby(variables: Mapping[str, str]) -> Standby | None:
    if not variables.get("STANDBY_HOST") or variables.get("CLONE_METHOD"):
        return None
    return Standby(
        host=variables["STANDBY_HOST"],
        port=variables.get("STANDBY_PORT", ""),
        slot=variables.get("STANDBY_PRIMARY_SLOT_NAME", ""),
    )


def _labels(variables: Mapping[str, str], name: str, default: Mapping[str, str]) -> Mapping[str, str]:
    """A JSON map of strings. The reference falls back in silence; a wrong label selects other objects, so we refuse."""
    text = variables.get(name, "")
    if not text:
        return default
    try:
        labels = json.loads(text)
    except ValueError:
        labels = None
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise ConfigurationError(name, "is not a JSON map of labels", 'write it like {"application": "spilo"}')
    return labels


# Documented keys of Patroni's ``kubernetes`` section that are copied when their variable is set (1.25, 13).
COPIED = ("follower_label_value", "tmp_role_label", "cacert", "retriable_http_codes")


def _kubernetes(variables: Mapping[str, str]) -> Kubernetes | None:
    get = variables.get
    kubeconfig = bool(get("KUBECONFIG"))
    if not is_on(get("DCS_ENABLE_KUBERNETES_API", "")) or not (kubeconfig or get("KUBERNETES_SERVICE_HOST")):
        return None
    settings: dict[str, Any] = {
        "scope_label": get("KUBERNETES_SCOPE_LABEL") or "version",
        "role_label": get("KUBERNETES_ROLE_LABEL") or "spilo-role",
        "leader_label_value": get("KUBERNETES_LEADER_LABEL_VALUE") or "master",
        "standby_leader_label_value": get("KUBERNETES_STANDBY_LEADER_LABEL_VALUE") or "master",
    }
    for key in COPIED:
        value = get(f"KUBERNETES_{key.upper()}")
        if value:
            settings[key] = value
    return Kubernetes(
        use_endpoints=not is_on(get("KUBERNETES_USE_CONFIGMAPS", "")),
        labels=_labels(variables, "KUBERNETES_LABELS", {"application": "spilo"}),
        bootstrap_labels=_labels(variables, "KUBERNETES_BOOTSTRAP_LABELS", {}),
        # It makes Patroni talk https to the addresses behind the API server; a kubeconfig may say otherwise.
        bypass_api_service=get("KUBERNETES_BYPASS_API_SERVICE", "true") == "true" and not kubeconfig,
        context=get("PATRONI_KUBERNETES_CONTEXT", ""),
        settings=settings,
    )


def _tls(variables: Mapping[str, str]) -> Tls:
    get = variables.get
    run = variables.get("RW_DIR") or "/run"
    contents: dict[str, str] = {}

    def file(variable: str, default: str, content: str, *, always: bool = False) -> str:
        path = get(f"{variable}_FILE") or (default if always or content else "")
        if content and path:
            contents[path] = content
        return path

    def given(pair: tuple[str, str], name: str) -> str:
        """Contents count only when certificate and key are both given."""
        return get(name, "") if all(get(one) for one in pair) else ""

    server = ("SSL_CERTIFICATE", "SSL_PRIVATE_KEY")
    rest = ("SSL_RESTAPI_CERTIFICATE", "SSL_RESTAPI_PRIVATE_KEY")
    certs = f"{run}/certs"
    return Tls(
        certificate=file(server[0], f"{certs}/server.crt", given(server, server[0]), always=True),
        key=file(server[1], f"{certs}/server.key", given(server, server[1]), always=True),
        ca=file("SSL_CA", f"{certs}/ca.crt", given(server, "SSL_CA")),
        crl=file("SSL_CRL", f"{certs}/server.crl", given(server, "SSL_CRL")),
        rest_certificate=file(rest[0], f"{certs}/rest-api-server.crt", given(rest, rest[0])),
        rest_key=file(rest[1], f"{certs}/restapi-api-server.key", given(rest, rest[1])),
        rest_ca=file("SSL_RESTAPI_CA", f"{certs}/rest-api-ca.crt", given(rest, "SSL_RESTAPI_CA")),
        contents=contents,
    )


def _user(variables: Mapping[str, str]) -> Mapping[str, Any]:
    name = "SPILO_CONFIGURATION" if variables.get("SPILO_CONFIGURATION") else "PATRONI_CONFIGURATION"
    try:
        user = yaml.safe_load(variables.get(name, "")) or {}
    except yaml.YAMLError:
        # The parser's message quotes the text, which may hold a secret.
        raise ConfigurationError(name, "is neither YAML nor JSON", "correct its syntax") from None
    if not isinstance(user, dict):
        raise ConfigurationError(name, f"is a {type(user).__name__}, not a mapping", "write it as key: value")
    return user
