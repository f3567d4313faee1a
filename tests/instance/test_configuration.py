"""The environment contract → patroni.yml, against files written from the specification by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from instance import environments
from instance.environments import A, B, C, machine
from pgherd_instance.configuration import configure
from pgherd_instance.environment import parse
from pgherd_instance.errors import ConfigurationError
from pgherd_instance.machine import Installation

GOLDEN = Path(__file__).parent / "golden"


def patroni(variables: dict[str, str], **facts: Any) -> dict[str, Any]:
    return configure(parse(variables), machine(**facts)).patroni


@pytest.mark.parametrize(("name", "variables", "memory_mb"), [("a", A, 500), ("b", B, 2048), ("c", C, 500)])
def test_worked_examples(name: str, variables: dict[str, str], memory_mb: int) -> None:
    assert patroni(variables, memory_mb=memory_mb) == yaml.safe_load((GOLDEN / f"{name}.yaml").read_text())


def test_below_a_pod_root_every_path_and_address_is_the_pods_own() -> None:
    pod = {
        **C,
        "PGHERD_POD_ROOT": "/srv/pods/p",
        "PGHERD_LISTEN_ADDRESS": "127.5.0.3",
        "POD_IP": "127.5.0.3",
        "KUBECONFIG": "/srv/kubeconfig",
        "PATRONI_KUBERNETES_CONTEXT": "local",
    }
    generated = patroni(pod)
    assert generated["restapi"] == {"listen": "127.5.0.3:8008", "connect_address": "127.5.0.3:8008"}
    assert generated["postgresql"]["listen"] == "127.5.0.3:5432"
    assert generated["postgresql"]["data_dir"] == "/srv/pods/p/home/postgres/pgdata/pgroot/data"
    assert generated["postgresql"]["parameters"]["ssl_key_file"] == "/srv/pods/p/run/certs/server.key"
    assert generated["postgresql"]["parameters"]["log_directory"] == "../pg_log"
    assert generated["bootstrap"]["post_init"] == '/srv/pods/p/scripts/post_init.sh "zalandos"'
    assert generated["kubernetes"]["context"] == "local"
    assert "bypass_api_service" not in generated["kubernetes"]


def test_what_is_not_handled_is_said_and_no_secret_with_it() -> None:
    notes = configure(parse(B), machine()).notes
    assert any(note.startswith("WAL_S3_BUCKET: WAL archiving and base backups is not handled") for note in notes)
    assert any(note.startswith("CLONE_METHOD: cloning is not handled") for note in notes)
    assert not any("secret-key" in note or "superuser-password" in note for note in notes)
    assert configure(parse(A), machine()).notes == []


def test_no_secret_in_repr() -> None:
    assert "superuser-password" not in repr(parse(A))
    assert "secret-key" not in repr(parse(B))


def test_the_data_folder_decides_the_version() -> None:
    assert patroni(A, data_version="15")["postgresql"]["bin_dir"] == "/usr/lib/postgresql/15/bin"
    with_bin_dir = {**A, "SPILO_CONFIGURATION": '{"postgresql": {"bin_dir": "/usr/lib/postgresql/16/bin"}}'}
    assert patroni(with_bin_dir)["postgresql"]["bin_dir"] == "/usr/lib/postgresql/16/bin"
    assert patroni(with_bin_dir, data_version="15")["postgresql"]["bin_dir"] == "/usr/lib/postgresql/15/bin"
    assert patroni({**A, "PGVERSION": ""})["postgresql"]["bin_dir"] == "/usr/lib/postgresql/18/bin"


def test_a_version_that_is_not_installed_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match=r"^PGVERSION: needs PostgreSQL 13.*Installed are 14, 15, 16, 17, 18"):
        patroni({**A, "PGVERSION": "13"})
    with pytest.raises(ConfigurationError, match=r"pgroot/data: needs PostgreSQL 12"):
        patroni(A, data_version="12")


def test_missing_libraries_are_dropped_unless_the_user_asks_for_them() -> None:
    bare = {"18": Installation("/usr/lib/postgresql/18/bin", frozenset({"pg_stat_statements"}), pam=True)}
    configured = configure(parse(A), machine(installations=bare))
    assert configured.patroni["postgresql"]["parameters"]["shared_preload_libraries"] == "pg_stat_statements"
    assert any("lacks bg_mon, pgextwlist" in note for note in configured.notes)
    asked = {**A, "SPILO_CONFIGURATION": '{"postgresql": {"parameters": {"shared_preload_libraries": "mine"}}}'}
    assert patroni(asked, installations=bare)["postgresql"]["parameters"]["shared_preload_libraries"] == ("mine")


def test_a_server_without_pam_gets_no_pam_line() -> None:
    without = {"18": Installation("/usr/lib/postgresql/18/bin", environments.LIBRARIES, pam=False)}
    configured = configure(parse(A), machine(installations=without))
    assert not any("pam" in line for line in configured.patroni["postgresql"]["pg_hba"])
    assert any(note.startswith("PAM_OAUTH2") for note in configured.notes)


def test_memory_decides_buffers_and_connections() -> None:
    generated = patroni(A, memory_mb=16384)
    assert generated["postgresql"]["parameters"]["shared_buffers"] == "3276MB"
    assert generated["bootstrap"]["dcs"]["postgresql"]["parameters"]["max_connections"] == 546
    assert patroni(A, memory_mb=100_000)["bootstrap"]["dcs"]["postgresql"]["parameters"]["max_connections"] == 1000
    outside = {name: value for name, value in A.items() if not name.startswith("KUBERNETES_SERVICE")}
    assert patroni(outside, memory_mb=16384)["postgresql"]["parameters"]["shared_buffers"] == "4096MB"


def test_hourly_logs_and_clear_text_connections() -> None:
    generated = patroni({**A, "LOG_SHIP_HOURLY": "true", "ALLOW_NOSSL": "true", "PAM_OAUTH2": ""})["postgresql"]
    assert generated["parameters"]["log_filename"] == "postgresql-%u-%H.log"
    assert generated["parameters"]["log_rotation_age"] == "1h"
    assert generated["pg_hba"] == [
        "local all all trust",
        "host all all 127.0.0.1/32 md5",
        "host all all ::1/128 md5",
        "local replication standby trust",
        "hostssl replication standby all md5",
        "host all all all md5",
    ]
    assert patroni({**A, "ALLOW_NOSSL": "false"})["postgresql"]["pg_hba"][-1] == "hostssl all all all md5"


def test_a_complete_list_of_the_user_is_left_alone() -> None:
    lines = '["local all all trust", "hostssl replication standby all md5", "hostssl all all all md5"]'
    generated = patroni({**A, "SPILO_CONFIGURATION": f'{{"postgresql": {{"pg_hba": {lines}}}}}'})
    assert generated["postgresql"]["pg_hba"] == yaml.safe_load(lines)


def test_certificates_by_content_and_the_rest_api() -> None:
    variables = {**A, "SSL_CERTIFICATE": "C", "SSL_PRIVATE_KEY": "K", "SSL_CA": "A", "SSL_RESTAPI_CERTIFICATE": "R"}
    environment = parse(variables)
    assert dict(environment.tls.contents) == {
        "/run/certs/server.crt": "C",
        "/run/certs/server.key": "K",
        "/run/certs/ca.crt": "A",
    }
    assert configure(environment, machine()).patroni["postgresql"]["parameters"]["ssl_ca_file"] == "/run/certs/ca.crt"
    both = patroni({**variables, "SSL_RESTAPI_PRIVATE_KEY": "S"})["restapi"]
    assert both["certfile"] == "/run/certs/rest-api-server.crt"
    assert both["keyfile"] == "/run/certs/restapi-api-server.key"
    assert dict(parse({**A, "SSL_CERTIFICATE": "C"}).tls.contents) == {}


def test_another_store() -> None:
    variables = {name: value for name, value in A.items() if name != "DCS_ENABLE_KUBERNETES_API"}
    generated = patroni({**variables, "ETCD3_HOSTS": "a:1,b:2", "ETCD3_DISCOVERY_DOMAIN": "x.y", "NAMESPACE": "n"})
    assert generated["etcd3"] == {"hosts": ["a:1", "b:2"], "discovery_srv": "x.y"}
    assert generated["namespace"] == "n"
    assert "kubernetes" not in generated
    assert "etcd3" not in patroni({**A, "ETCD3_HOST": "a:1"})


def test_ipv6_addresses_are_bracketed() -> None:
    generated = patroni({**A, "POD_IP": "fd00::7"})
    assert generated["postgresql"]["connect_address"] == "[fd00::7]:5432"
    assert generated["restapi"]["connect_address"] == "[fd00::7]:8008"


def test_a_callback_of_the_user() -> None:
    callbacks = patroni({**A, "CALLBACK_SCRIPT": "/opt/c.sh -v", "HUMAN_ROLE": "our people"})["postgresql"]["callbacks"]
    assert callbacks["on_role_change"] == "/scripts/on_role_change.sh 'our people' /opt/c.sh -v"
    assert callbacks["on_start"] == callbacks["on_stop"] == "/opt/c.sh -v"


def test_generating_is_pure() -> None:
    environment, facts = parse(B), machine()
    assert configure(environment, facts).patroni == configure(environment, replace(facts)).patroni


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SPILO_CONFIGURATION": "[1]"}, "SPILO_CONFIGURATION: is a list, not a mapping"),
        ({"SPILO_CONFIGURATION": "{secret: 'x"}, "SPILO_CONFIGURATION: is neither YAML nor JSON"),
        ({"PGPORT": "eleven"}, "PGPORT: 'eleven' is not a port"),
        ({"KUBERNETES_LABELS": "application=spilo"}, "KUBERNETES_LABELS: is not a JSON map"),
        ({"PAM_OAUTH2": "http://x y"}, "PAM_OAUTH2: needs an https address"),
        ({"CLONE_METHOD": "CLONE_WITH_MAGIC"}, "CLONE_METHOD: 'CLONE_WITH_MAGIC' is unknown"),
        ({"CLONE_METHOD": "CLONE_WITH_BASEBACKUP"}, "CLONE_SCOPE: is missing"),
        ({"HOSTNAME": ""}, "HOSTNAME: is empty"),
        ({"POD_IP": ""}, "POD_IP: is empty"),
        ({"PGHERD_POD_ROOT": "pods/p"}, "PGHERD_POD_ROOT: pods/p is not an absolute path"),
    ],
)
def test_faults_name_the_variable_and_never_its_secret(change: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as fault:
        parse({**A, **change})
    assert str(fault.value).startswith(message)
    assert fault.value.__context__ is None or fault.value.__suppress_context__
