"""The environment and the machine → Patroni's configuration (specification: instance 1.5).

Pure. The values are the contract's; the deviations are these, each because the reference's behaviour stops a cluster or
loses something in silence:

* ``initdb`` options are merged by name (``merge``), and a missing default locale has a substitute (``encoding``);
* ``unix_socket_directories`` is written out: Patroni's libpq need not share the server's compiled-in default;
* a library, or the method ``pam``, that this PostgreSQL lacks is left out (``preload``, ``hba``);
* a user's ``pg_hba`` gets the two lines back without which nothing runs (``hba``);
* the ``kubernetes`` section holds documented keys only (``dcs``);
* a clone that cannot be made refuses to bootstrap, instead of an empty cluster (1.25, 10).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from pgherd_instance import dcs, defaults, encoding, hba, preload, unhandled
from pgherd_instance.environment import Environment, host_port
from pgherd_instance.errors import ConfigurationError
from pgherd_instance.machine import Installation, Machine
from pgherd_instance.merge import merged


@dataclass(frozen=True)
class Configured:
    """``patroni`` is the content of patroni.yml, ``notes`` are for the log, ``bin_dir`` is PostgreSQL's."""

    patroni: dict[str, Any]
    notes: list[str]
    bin_dir: str


def configure(environment: Environment, machine: Machine) -> Configured:
    """Raises ConfigurationError when no usable PostgreSQL is installed."""
    major, installation = choose_version(environment, machine)
    notes = unhandled.notes(environment.variables)
    options, locale_notes = encoding.initdb(environment, machine, int(major))
    libraries, missing = preload.libraries(installation.libraries, pg_mon=environment.pg_mon)
    user_postgresql = environment.user.get("postgresql") or {}
    user_parameters = user_postgresql.get("parameters") or {}
    if missing and "shared_preload_libraries" not in user_parameters:
        notes.append(f"PostgreSQL {major} lacks {', '.join(missing)}; not preloaded")
    if environment.pam_oauth2 and not installation.pam:
        notes.append(
            f"PAM_OAUTH2: PostgreSQL {major} has no PAM, or no libpam_oauth2.so; people log in with passwords only"
        )

    generated = {
        "scope": environment.scope,
        "name": environment.name,
        **dcs.section(environment),
        "bootstrap": _bootstrap(environment, machine),
        "restapi": _restapi(environment),
        "postgresql": _postgresql(environment, machine, installation, libraries),
    }
    patroni = merged(generated, environment.user)
    patroni["bootstrap"]["initdb"] = options
    notes += locale_notes if not machine.data_version else []
    if user_postgresql.get("pg_hba"):
        patroni["postgresql"]["pg_hba"], added = hba.completed(user_postgresql["pg_hba"], environment)
        if added:
            notes.append(f"postgresql.pg_hba lacks what the cluster itself needs; added at its end: {'; '.join(added)}")
    _complete_bootstrap_hba(patroni["bootstrap"], environment)
    asked = user_postgresql.get("bin_dir")
    bin_dir = str(environment.paths.real(asked)) if asked and not machine.data_version else installation.bin_dir
    patroni["postgresql"]["bin_dir"] = bin_dir
    return Configured(patroni, notes, bin_dir)


def choose_version(environment: Environment, machine: Machine) -> tuple[str, Installation]:
    """The data folder's version, else the user's ``bin_dir``, else ``PGVERSION``, else the newest."""
    installed = machine.installations
    if not installed:
        raise ConfigurationError(
            str(environment.paths.real("/usr/lib/postgresql")), "no PostgreSQL is installed", "install a major version"
        )
    known = ", ".join(sorted(installed, key=int))
    user_bin = (environment.user.get("postgresql") or {}).get("bin_dir", "")
    wanted = machine.data_version or user_bin.removesuffix("/bin").rpartition("/")[2] or environment.version
    if not wanted:
        newest = max(installed, key=int)
        return newest, installed[newest]
    if wanted not in installed:
        subject = environment.paths.pgdata if machine.data_version else "bin_dir" if user_bin else "PGVERSION"
        raise ConfigurationError(
            subject, f"needs PostgreSQL {wanted}, which is not installed", f"installed are {known}; use one of them"
        )
    return wanted, installed[wanted]


def _bootstrap(environment: Environment, machine: Machine) -> dict[str, Any]:
    script = environment.paths.real("/scripts")
    section: dict[str, Any] = {
        "post_init": f'{shlex.quote(f"{script}/post_init.sh")} "{environment.human_role}"',
        "dcs": {
            **_standby(environment),
            "ttl": 30,
            "loop_wait": 10,
            "retry_timeout": 10,
            "maximum_lag_on_failover": 33554432,
            "postgresql": {
                "use_pg_rewind": True,
                "use_slots": True,
                "parameters": _dynamic_parameters(machine),
            },
        },
    }
    if environment.clone_method:
        method = environment.clone_method.lower()
        section["method"] = method
        section[method] = {"command": shlex.quote(f"{script}/{method}.sh"), "no_params": True}
    return section


def _standby(environment: Environment) -> dict[str, Any]:
    standby = environment.standby
    if standby is None:
        return {}
    section: dict[str, Any] = {"create_replica_methods": ["basebackup_fast_xlog"], "host": standby.host}
    if standby.port:
        section["port"] = standby.port
    if standby.slot:
        section["primary_slot_name"] = standby.slot
    return {"standby_cluster": section}


def _dynamic_parameters(machine: Machine) -> dict[str, Any]:
    """Written to the DCS once, when the cluster is made."""
    return {
        "archive_mode": "on",
        "archive_timeout": "1800s",
        "wal_level": "hot_standby",
        "wal_log_hints": "on",
        "wal_compression": "on",
        "max_wal_senders": 10,
        "max_connections": defaults.max_connections(machine.memory_mb),
        "max_replication_slots": 10,
        "hot_standby": "on",
        "tcp_keepalives_idle": 900,
        "tcp_keepalives_interval": 100,
        "log_line_prefix": "%t [%p]: [%l-1] %c %x %d %u %a %h ",
        "log_checkpoints": "on",
        "log_lock_waits": "on",
        "log_min_duration_statement": 500,
        "log_autovacuum_min_duration": 0,
        "log_connections": "on",
        "log_disconnections": "on",
        "log_statement": "ddl",
        "log_temp_files": 0,
        "track_functions": "all",
        "checkpoint_completion_target": 0.9,
        "autovacuum_max_workers": 5,
        "autovacuum_vacuum_scale_factor": 0.05,
        "autovacuum_analyze_scale_factor": 0.02,
    }


def _restapi(environment: Environment) -> dict[str, Any]:
    tls, real = environment.tls, environment.paths.real
    files = {"cafile": tls.rest_ca, "certfile": tls.rest_certificate, "keyfile": tls.rest_key}
    return {
        "listen": host_port(environment.listen, environment.api_port),
        "connect_address": environment.rest_address,
        **{key: str(real(path)) for key, path in files.items() if path},
    }


def _postgresql(
    environment: Environment, machine: Machine, installation: Installation, libraries: list[str]
) -> dict[str, Any]:
    paths = environment.paths
    scripts = paths.real("/scripts")
    # CALLBACK_SCRIPT may be a command with arguments; it is handed on as it is.
    ours = shlex.join([f"{scripts}/on_role_change.sh", environment.human_role])
    callback = {"on_start": environment.callback, "on_stop": environment.callback} if environment.callback else {}
    return {
        "use_unix_socket": True,
        "use_unix_socket_repl": True,
        "listen": host_port(environment.listen or "*", environment.port),
        "connect_address": environment.pg_address,
        "data_dir": str(paths.data),
        "pgpass": str(paths.pgpass),
        "parameters": _local_parameters(environment, machine, libraries),
        "pg_hba": hba.lines(environment, pam=installation.pam),
        "authentication": {
            "superuser": {"username": environment.superuser.name, "password": environment.superuser.password},
            "replication": {"username": environment.replication.name, "password": environment.replication.password},
        },
        "callbacks": {"on_role_change": f"{ours} {environment.callback or 'true'}", **callback},
        "create_replica_method": ["basebackup_fast_xlog"],
        "basebackup_fast_xlog": {"command": shlex.quote(f"{scripts}/basebackup.sh"), "retries": 2},
    }


def _local_parameters(environment: Environment, machine: Machine, libraries: list[str]) -> dict[str, Any]:
    """Effective at each start; they win over the DCS."""
    tls, paths = environment.tls, environment.paths
    hourly = environment.hourly_logs
    trust = {"ssl_ca_file": tls.ca, "ssl_crl_file": tls.crl}
    on_kubernetes = environment.kubernetes is not None or bool(environment.variables.get("KUBERNETES_SERVICE_HOST"))
    return {
        "archive_command": "/bin/true",
        "shared_buffers": defaults.shared_buffers(machine.memory_mb, kubernetes=on_kubernetes),
        "unix_socket_directories": str(paths.sockets(environment.port)),
        "logging_collector": "on",
        "log_destination": "csvlog",
        "log_directory": "../pg_log",
        "log_filename": "postgresql-%u-%H.log" if hourly else "postgresql-%u.log",
        "log_file_mode": "0644",
        "log_rotation_age": "1h" if hourly else "1d",
        "log_truncate_on_rotation": "on",
        "ssl": "on",
        **{key: str(paths.real(path)) for key, path in trust.items() if path},
        "ssl_cert_file": str(paths.real(tls.certificate)),
        "ssl_key_file": str(paths.real(tls.key)),
        "shared_preload_libraries": ",".join(libraries),
        "bg_mon.listen_address": environment.listen or ("::" if machine.ipv6 else "0.0.0.0"),
        "bg_mon.history_buckets": 120,
        "pg_stat_statements.track_utility": "off",
        "extwlist.extensions": ",".join(preload.extensions()),
        "extwlist.custom_path": str(paths.real("/scripts")),
    }


def _complete_bootstrap_hba(bootstrap: dict[str, Any], environment: Environment) -> None:
    lines = bootstrap.get("pg_hba")
    if lines and not any("replication" in line for line in lines):
        bootstrap["pg_hba"] = [f"hostssl replication {environment.replication.name} all md5", *lines]
