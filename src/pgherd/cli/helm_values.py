"""``pgherd helm-values``: values of the reference's Helm chart become values of ours, with the same meaning.

Invariant: an operator that starts with the result wants of every cluster what the former one wanted. So all options are
written that the reference's chart decides, its defaults included, and what our chart decides for new installations is
taken back (``null``) where the former one said nothing. What has no counterpart is said, never dropped in silence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from pgherd.api.options import all_options
from pgherd.cli import output
from pgherd.cli.files import read_text
from pgherd.cli.reference_values import DEFAULTS, SECTIONS
from pgherd.errors import PgherdError

Values = dict[str, Any]

CHART_SETS = (
    "docker_image",
    "enable_crd_registration",
    "kubernetes.watched_namespace",
    "kubernetes.pod_service_account_name",
    "kubernetes.pod_security_restricted",
    "patroni.enable_patroni_failsafe_mode",
    "load_balancer.enable_master_load_balancer",
    "teams_api.enable_teams_api",
    "teams_api.enable_admin_role_for_users",
    "teams_api.enable_postgres_team_crd",
    "logging_rest_api.api_port",
)
"""Options with a value in our chart's values.yaml (a test compares)."""

AS_THEY_ARE = (
    "fullnameOverride",
    "configTarget",
    "imagePullSecrets",
    "podAnnotations",
    "podLabels",
    "extraEnvs",
    "enableStreams",
    "rbac",
    "serviceAccount",
    "priorityClassName",
    "resources",
    "securityContext",
    "affinity",
    "nodeSelector",
    "tolerations",
    "controllerID",
)
FLAGS = {"-kubeqps": "--kubeqps", "-kubeburst": "--kubeburst"}
FULLNAME = '{{ include "pgherd.fullname" . }}'


def show(file: str) -> None:
    """Print the new values; what they cannot say goes to standard error. Raises PgherdError for what is no values."""
    old = yaml.safe_load(read_text(file)) or {}
    if not isinstance(old, dict):
        raise PgherdError(f"{file}: these are no values of a chart. Cure: helm get values RELEASE > {file}")
    values, remarks = convert(old)
    for remark in remarks:
        output.note(f"note: {remark}", style="yellow")
    sys.stdout.write("# Made by pgherd helm-values.\n")
    sys.stdout.write(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=10**6))


def convert(old: Mapping[str, Any]) -> tuple[Values, list[str]]:
    """The new values, and what has to be said about them."""
    remarks: list[str] = []
    values: Values = {"nameOverride": old.get("nameOverride") or "postgres-operator"}
    values |= {key: old[key] for key in AS_THEY_ARE if old.get(key) is not None}
    for key, value in old.items():
        if key in _CONVERTED:
            values |= _CONVERTED[key](value, remarks)
        elif key not in (*AS_THEY_ARE, *SECTIONS, "nameOverride", "podServiceAccount"):
            remarks.append(f"{key}: not a value of the reference's chart; left out")
    values["configuration"] = _configuration(old, values, remarks)
    _environment(values, remarks)
    if values["configuration"]["kubernetes"]["watched_namespace"] != "*":
        remarks.append(
            "configKubernetes.watched_namespace: the operator gets Roles in these namespaces only; the CRDs are then"
            " kept up to date by whoever installs: pgherd crd | kubectl apply --server-side -f -"
        )
    return _renamed(values, remarks), remarks


def _configuration(old: Mapping[str, Any], values: Mapping[str, Any], remarks: list[str]) -> Values:
    config: Values = {}
    known = all_options()
    for group, section in SECTIONS.items():
        given = old.get(group) or {}
        if _never_counted(group, values) and given:
            remarks.append(
                f"{group}: the reference's chart never wrote it into a ConfigMap, so the operator's defaults counted;"
                " left out, because it would change the pods"
            )
        if _never_counted(group, values):
            continue
        for key, value in {**DEFAULTS[group], **given}.items():
            path = f"{section}.{key}" if section else key
            if path not in known:
                remarks.append(f"{group}.{key}: no option of this group; left out")
            elif value is not None:
                _set(config, path, value)
    for path, value in _written_by_its_template(old, values, config):
        _set(config, path, value)
    for path in CHART_SETS:
        section, _, key = path.rpartition(".")
        if key not in (config.get(section, {}) if section else config):
            _set(config, path, None)
    return config


def _never_counted(group: str, values: Mapping[str, Any]) -> bool:
    return group == "configPostgresPodResources" and values.get("configTarget") == "ConfigMap"


def _written_by_its_template(
    old: Mapping[str, Any], values: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Options that the reference's chart derives from its other values."""
    kubernetes = config.get("kubernetes", {})
    account = (old.get("podServiceAccount") or {}).get("name", "postgres-pod")
    yield "kubernetes.pod_service_account_name", account or f"{FULLNAME}-pod"
    into_configmap = values.get("configTarget") == "ConfigMap"
    if not into_configmap and "oauth_token_secret_name" not in kubernetes:
        yield "kubernetes.oauth_token_secret_name", FULLNAME
    priority = old.get("podPriorityClassName") or {}
    name = priority.get("name")
    if "pod_priority_class_name" not in kubernetes:
        if name:
            yield "kubernetes.pod_priority_class_name", name
        elif not into_configmap:
            # Its chart makes the class and does not tell the operator.
            yield "kubernetes.pod_priority_class_name", ""


def _set(config: Values, path: str, value: Any) -> None:
    section, _, key = path.rpartition(".")
    (config.setdefault(section, {}) if section else config)[key] = value


def _image(given: Any, remarks: list[str]) -> Values:
    remarks.append("image: of the reference's operator; left out. An own registry: set image.registry")
    return {}


def _logging(given: Any, remarks: list[str]) -> Values:
    if not given:
        remarks.append("enableJsonLogging: the operator logs in JSON wherever its output is not a terminal")
    return {}


def _arguments(given: Any, remarks: list[str]) -> Values:
    words = []
    for word in given or ():
        flag, _, value = str(word).partition("=")
        new = FLAGS.get("-" + flag.lstrip("-"))
        if new and value:
            words += [new, value]
        else:
            remarks.append(f"extraArgs: {word} has no counterpart here; left out")
    return {"extraArgs": words} if words else {}


def _priority(given: Any, remarks: list[str]) -> Values:
    names = {"create": "create", "name": "name", "priority": "value"}
    return {"podPriorityClass": {names[key]: value for key, value in (given or {}).items() if key in names}}


def _readiness(given: Any, remarks: list[str]) -> Values:
    return {"readinessProbe": dict(given) if given else None}


_CONVERTED: Mapping[str, Callable[[Any, list[str]], Values]] = {
    "image": _image,
    "enableJsonLogging": _logging,
    "extraArgs": _arguments,
    "podPriorityClassName": _priority,
    "readinessProbe": _readiness,
}


def _environment(values: Values, remarks: list[str]) -> None:
    """What the new chart decides otherwise: the namespace that is watched, by the configuration alone."""
    left = []
    for one in values.get("extraEnvs", ()):
        name = one.get("name")
        if name == "WATCHED_NAMESPACE" and "value" in one:
            values["configuration"]["kubernetes"]["watched_namespace"] = one["value"]
        elif name in ("WATCHED_NAMESPACE", "OPERATOR_NAMESPACE", "CRD_READY_WAIT_INTERVAL", "CRD_READY_WAIT_TIMEOUT"):
            remarks.append(f"extraEnvs: {name} is the chart's business; left out")
        else:
            left.append(one)
    values.pop("extraEnvs", None)
    if left:
        values["extraEnvs"] = left


def _renamed(value: Any, remarks: list[str]) -> Any:
    """Template expressions in values: the names of the chart's own templates are others."""
    if isinstance(value, dict):
        return {key: _renamed(inner, remarks) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, remarks) for inner in value]
    if isinstance(value, str) and "postgres-operator." in value and "{{" in value:
        return value.replace('"postgres-operator.', '"pgherd.')
    return value
