"""Where Patroni keeps the cluster's state (specification: instance 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from pgherd_instance.environment import Environment

# The first whose variables are present wins, when the Kubernetes API is not used.
FOREIGN = ("ZOOKEEPER", "EXHIBITOR", "CONSUL", "ETCD3", "ETCD")


def section(environment: Environment) -> dict[str, Any]:
    """The top-level keys of the store and ``namespace``; no store at all is left to the user's configuration."""
    kubernetes = environment.kubernetes
    if kubernetes is None:
        return _foreign(environment.variables)
    settings: dict[str, Any] = {
        **kubernetes.settings,
        "labels": dict(kubernetes.labels),
        "bootstrap_labels": dict(kubernetes.bootstrap_labels),
    }
    if kubernetes.bypass_api_service:
        settings["bypass_api_service"] = True
    if kubernetes.context:
        settings["context"] = kubernetes.context
    if kubernetes.use_endpoints:
        settings |= {
            "use_endpoints": True,
            "pod_ip": environment.pod_ip,
            "ports": [{"port": 5432, "name": "postgresql"}],
        }
    return {"kubernetes": settings, "namespace": environment.namespace}


def _foreign(variables: Mapping[str, str]) -> dict[str, Any]:
    for store in FOREIGN:
        settings = {
            _key(name.removeprefix(f"{store}_")): _value(name, value)
            for name, value in variables.items()
            if name.startswith(f"{store}_") and value
        }
        if settings:
            namespace = variables.get("NAMESPACE", "")
            return {store.lower(): settings, **({"namespace": namespace} if namespace not in {"", "default"} else {})}
    return {}


def _key(parameter: str) -> str:
    return "discovery_srv" if parameter == "DISCOVERY_DOMAIN" else parameter.lower()


def _value(name: str, text: str) -> Any:
    """``HOSTS`` is a YAML list, with or without its brackets."""
    if not name.endswith("_HOSTS"):
        return text
    parsed = yaml.safe_load(text)
    return parsed if isinstance(parsed, list) else yaml.safe_load(f"[{text}]")
