"""Strings that mean something to a shell, YAML, JSON or Kubernetes stay data, wherever they stand."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from desired.contexts import context, manifest
from desired.schemas import schema_errors
from pgherd.desired.children import desired_children
from pgherd.desired.environment import escaped
from pgherd.desired.manifest import revealed
from pgherd.desired.names import expand
from pgherd.desired.spilo_configuration import spilo_configuration
from pgherd.desired.statefulset import desired_statefulset

HOSTILE = st.one_of(
    st.text(max_size=30),
    st.text("$(){}SCOPE\n\"'\\<>&: -!%", max_size=30),
    st.sampled_from(["$(SCOPE)", "$$(SCOPE)", "{{ a }}", "!!python/object:x", "\u2028", "---\n", '"}', "$(date +%s)"]),
)
SCOPE = {"SCOPE": "expanded", "a.b": "expanded"}


def kubelet(text: str, variables: dict[str, str]) -> str:
    """What a container sees, written from the Kubernetes documentation of dependent environment variables.

    ``$(NAME)`` is replaced when NAME is known and left alone when it is not; ``$$`` is one dollar and starts nothing.
    """
    seen, at = "", 0
    while at < len(text):
        if text.startswith("$$", at):
            seen, at = seen + "$", at + 2
        elif text.startswith("$(", at) and ")" in text[at:]:
            end = text.index(")", at)
            seen, at = seen + variables.get(text[at + 2 : end], text[at : end + 1]), end + 1
        else:
            seen, at = seen + text[at], at + 1
    return seen


@given(HOSTILE)
@example("$(a$(SCOPE))")
@example("$(SCOPE")
@example("$")
@example("$$$(SCOPE)$$")
def test_a_container_sees_the_text_itself(text: str) -> None:
    assert kubelet(escaped(text), SCOPE) == text


@given(st.text(max_size=30))
def test_text_that_kubernetes_leaves_alone_is_not_changed(text: str) -> None:
    plain = text.replace("$", "")
    assert escaped(plain) == plain
    assert escaped("test -f $(basename %p) && echo $HOME") == "test -f $(basename %p) && echo $HOME"


@given(HOSTILE, HOSTILE, HOSTILE)
def test_configuration_reads_back(value: str, line: str, option: str) -> None:
    ctx = context(
        manifest(
            postgresql={"version": "18", "parameters": {"shared_buffers": value, "x": value}},
            patroni={"pg_hba": [line], "initdb": {"locale": option}, "slots": {"s": {"type": value}}},
        )
    )
    configuration = json.loads(kubelet(escaped(spilo_configuration(ctx)), SCOPE))
    assert configuration["postgresql"] == {"parameters": {"shared_buffers": value}, "pg_hba": [line]}
    assert configuration["bootstrap"]["initdb"][2] == {"locale": option}
    assert configuration["bootstrap"]["dcs"]["postgresql"]["parameters"] == {"x": value}
    assert configuration["bootstrap"]["dcs"]["slots"] == {"s": {"type": value}}


@given(HOSTILE)
def test_values_of_the_configuration_reach_the_container_unchanged(text: str) -> None:
    ctx = context(options={"pam_configuration": text, "pam_role_name": text, "wal_s3_bucket": text})
    variables = container_environment(desired_statefulset(ctx))
    seen = {name: kubelet(value, SCOPE) for name, value in variables.items()}
    assert (seen["PAM_OAUTH2"], seen["HUMAN_ROLE"]) == (text, text)
    assert seen.get("WAL_S3_BUCKET", "") == text


def container_environment(statefulset: dict[str, Any]) -> dict[str, str]:
    variables = statefulset["spec"]["template"]["spec"]["containers"][0]["env"]
    return {variable["name"]: variable.get("value", "") for variable in variables}


@given(HOSTILE, HOSTILE)
def test_every_manifest_stays_legal(text: str, other: str) -> None:
    resource = manifest(
        teamId=text,
        dockerImage=text,
        podAnnotations={text: other},
        env=[{"name": "X", "value": text}],
        clone={"cluster": text or "x", "timestamp": "2025-03-01T10:00:00+00:00", "s3_wal_path": other},
        tls={"secretName": text, "caFile": other, "caSecretName": text},
        enableConnectionPooler=True,
        connectionPooler={"schema": text, "dockerImage": other},
        enableLogicalBackup=True,
        logicalBackupRetention=text,
        schedulerName=text,
    )
    for child in desired_children(context(resource)):
        assert schema_errors(revealed(child), "1.34") == []


@given(HOSTILE, HOSTILE)
def test_a_template_expands_its_own_placeholders_only(cluster: str, user: str) -> None:
    assert expand("{cluster}/{user}/{other}{", cluster=cluster, user=user) == f"{cluster}/{user}/{{other}}{{"


def test_manifest_environment_keeps_its_meaning() -> None:
    ctx = context(
        manifest(env=[{"name": "MINE", "value": "$(SCOPE)/$$x"}]),
        {"pod_environment_configmap": "map"},
        pod_configmap={"THEIRS": "s3://bucket/$(SCOPE)"},
    )
    variables = container_environment(desired_statefulset(ctx))
    assert variables["MINE"] == "$(SCOPE)/$$x"
    assert variables["THEIRS"] == "s3://bucket/$(SCOPE)"
    assert re.fullmatch(r"[^$]*", variables["SPILO_CONFIGURATION"])
