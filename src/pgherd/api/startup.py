"""How the operator is started: the reference's flags and environment variables, and what they mean (api.md 3.8, 3.9).

Invariant: what is given at the start wins over the configuration, however often that is read again, and shows as
:attr:`~pgherd.api.operator_configuration.Origin.OVERRIDDEN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pgherd.api.duration import parse_duration
from pgherd.errors import Fault, ManifestError


@dataclass(frozen=True)
class Word:
    """A flag or a variable. ``option`` is the path of the option that it overrides, ``forced`` the value it gets."""

    name: str
    meaning: str
    default: str = ""
    option: str = ""
    forced: Any = None
    takes_value: bool = True


FLAGS = (
    Word("kubeconfig", "file with the credentials of a Kubernetes cluster; counts without `-outofcluster`, too"),
    Word("outofcluster", "never use the service account of a pod", "false", takes_value=False),
    Word(
        "nodatabaseaccess",
        "forces `enable_database_access` to false",
        "false",
        option="debug.enable_database_access",
        forced=False,
        takes_value=False,
    ),
    Word(
        "noteamsapi",
        "forces `enable_teams_api` to false",
        "false",
        option="teams_api.enable_teams_api",
        forced=False,
        takes_value=False,
    ),
    Word("kubeqps", "requests per second to the API server", "50 (the reference: 10)"),
    Word("kubeburst", "requests to the API server that may come at once", "100 (the reference: 20)"),
)
"""Of ``pgherd run``; one or two dashes."""

VARIABLES = (
    Word("POSTGRES_OPERATOR_CONFIGURATION_OBJECT", "name of the `OperatorConfiguration` to use"),
    Word("CONFIG_MAP_NAME", "ConfigMap to use, `name` or `namespace/name`, when no `OperatorConfiguration` is named"),
    Word("OPERATOR_NAMESPACE", "namespace of the operator", "that of the service account"),
    Word("WATCHED_NAMESPACE", "overrides `watched_namespace`", option="kubernetes.watched_namespace"),
    Word("CONTROLLER_ID", "the operator handles resources whose annotation `acid.zalan.do/controller` is the same"),
    Word("SCALYR_API_KEY", "overrides `scalyr_api_key` (deprecated)", option="scalyr.scalyr_api_key"),
    Word("CRD_READY_WAIT_TIMEOUT", "how long a registered CRD may take to be served", "60s (the reference: 30s)"),
    Word("CRD_READY_WAIT_INTERVAL", "how often is asked meanwhile", "100ms (the reference: 4s)"),
    Word("ENABLE_JSON_LOGGING", "`true`: JSON log lines, also on a terminal", "JSON unless on a terminal"),
    Word("LOG_NOQUOTE", "any value: log lines of text, also where nobody looks at a terminal"),
)
"""Nothing else in the environment overrides an option."""


def overrides(environment: Mapping[str, str], flags: Iterable[str] = ()) -> dict[str, Any]:
    """Option path to value, in the notation of the CRD. ``flags`` are the names of those that are set."""
    given = {word.option: environment[word.name] for word in VARIABLES if word.option and environment.get(word.name)}
    names = frozenset(flags)
    return {**given, **{word.option: word.forced for word in FLAGS if word.option and word.name in names}}


@dataclass(frozen=True)
class Patience:
    """How long a registered CRD may take, and how often is asked; seconds."""

    timeout: float = 60.0
    interval: float = 0.1

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Patience:
        """Raises ManifestError for a value that is no Go duration above zero, as the reference does."""
        faults: list[Fault] = []
        timeout = _seconds("CRD_READY_WAIT_TIMEOUT", environment, cls.timeout, faults)
        interval = _seconds("CRD_READY_WAIT_INTERVAL", environment, cls.interval, faults)
        if faults:
            raise ManifestError("environment of the operator", faults)
        return cls(timeout, interval)


def _seconds(name: str, environment: Mapping[str, str], default: float, faults: list[Fault]) -> float:
    text = environment.get(name, "")
    if not text:
        return default
    try:
        found = parse_duration(text)
    except ValueError as error:
        faults.append(Fault(name, f"is no duration: {error}", "write one like 30s", text))
        return default
    if found <= timedelta():
        faults.append(Fault(name, "must be above zero", "write a duration like 30s", text))
        return default
    return found.total_seconds()


def log_form(environment: Mapping[str, str]) -> bool | None:
    """True for JSON, False for text, None to decide by where the lines go. Only exactly ``true`` means JSON."""
    if environment.get("ENABLE_JSON_LOGGING") == "true":
        return True
    return False if environment.get("LOG_NOQUOTE") else None
