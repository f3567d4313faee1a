"""Where the API server is and who we are: everything about it is the official client's.

The client loads kubeconfig files (contexts, merged files, certificates, token files, exec plugins, OIDC, proxies) and
the service account of a pod. What it leaves to its caller is *when* credentials are loaded again: here, when the server
says 401, and shortly before the end that an exec plugin announced.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import getproxies, proxy_bypass

import yaml
from yarl import URL

from pgherd.errors import PgherdError
from pgherd.kube import official
from pgherd.kube.official import ApiClient, Configuration

ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_EARLY = timedelta(seconds=60)
_UNUSABLE = (official.ConfigException, yaml.YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError)


class Credentials:
    """A loaded configuration that can renew itself. ``namespace`` is the default one of the context or the pod."""

    def __init__(self, configuration: Configuration, loader: Any, namespace: str) -> None:
        self.configuration = configuration
        self.namespace = namespace
        self._loader = loader
        self._renewing = asyncio.Lock()

    @property
    def server(self) -> str:
        """Base URL of the API server."""
        return str(self.configuration.host)

    @property
    def in_pod(self) -> bool:
        """They are those of the service account of this pod, not of a kubeconfig."""
        return self._loader is None

    async def authorization(self) -> str:
        """Value of the Authorization header, ``""`` when certificates are all there is."""
        expiry = getattr(self._loader, "exec_plugin_expiry", None)
        if isinstance(expiry, datetime) and datetime.now(UTC) > expiry - _EARLY:
            await self._load()
        token = await self.configuration.get_api_key_with_prefix("BearerToken")
        return str(token).strip() if token else ""

    async def renew(self, api: ApiClient, refused: str) -> bool:
        """Load the credentials again after ``refused`` was answered with 401; is there anything new to try?"""
        async with self._renewing:
            if self._loader is None or await self.authorization() != refused:
                return self._loader is not None
            certificate = self.configuration.cert_file
            await self._load()
            if self.configuration.cert_file != certificate and self.configuration.cert_file:
                api.rest_client.ssl_context.load_cert_chain(self.configuration.cert_file, self.configuration.key_file)
                return True
            return await self.authorization() != refused

    async def _load(self) -> None:
        if hasattr(self._loader, "exec_plugin_expiry"):
            del self._loader.exec_plugin_expiry
        await self._loader.load_and_set(self.configuration)


async def load(kubeconfig: str | Path | None = None, context: str | None = None) -> Credentials:
    """Load credentials: the given file, ``$KUBECONFIG``, ``~/.kube/config``, else the pod's service account.

    Raises :class:`PgherdError` that says what is missing and what to do.
    """
    configuration = Configuration()
    # Certificates of many distributions lack the key identifiers that Python 3.13 demands; client-go never did.
    configuration.disable_strict_ssl_verification = True
    path = _kubeconfig(kubeconfig)
    if path is None and "KUBERNETES_SERVICE_HOST" not in os.environ:
        raise PgherdError("no kubeconfig found; set KUBECONFIG or pass --kubeconfig, or start a local one: pgherd up")
    try:
        if path is None:
            official.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
            loader, namespace = None, _account_namespace()
        else:
            loader = await official.load_kube_config(  # type: ignore[no-untyped-call]
                path, context, configuration, persist_config=False
            )
            namespace = loader.current_context["context"].get("namespace") or "default"
    except _UNUSABLE as error:
        raise PgherdError(f"{path or 'service account of this pod'}: cannot be used: {error}") from None
    _check_exec_plugin(loader, configuration, path)
    configuration.proxy = configuration.proxy or _proxy(configuration.host)
    return Credentials(configuration, loader, namespace)


def _kubeconfig(given: str | Path | None) -> str | None:
    if given is not None and not Path(given).expanduser().is_file():
        raise PgherdError(f"kubeconfig {given}: no such file")
    if given is not None:
        return str(Path(given).expanduser())
    if os.environ.get("KUBECONFIG"):
        paths = os.environ["KUBECONFIG"]
        if not any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path):
            raise PgherdError(f"kubeconfig {paths} (from KUBECONFIG): no such file")
        return paths
    usual = Path.home() / ".kube/config"
    return str(usual) if usual.is_file() else None


def _account_namespace() -> str:
    return ACCOUNT_NAMESPACE.read_text().strip() if ACCOUNT_NAMESPACE.is_file() else "default"


def _check_exec_plugin(loader: Any, configuration: Configuration, path: str | None) -> None:
    """The client only logs the failure of a plugin; without credentials every call would be refused."""
    user = getattr(loader, "_user", None)
    if user and "exec" in user and not configuration.api_key and not configuration.cert_file:
        command = user["exec"]["command"]
        raise PgherdError(f"kubeconfig {path}: the exec plugin {command!r} gave no credentials; run it by hand")


def _proxy(server: str) -> str | None:
    """Proxy of the environment for this server; never one for this machine itself, as in Go's clients.

    Asked once: aiohttp's ``trust_env`` reads the environment and ``~/.netrc`` at each request, which costs three times
    the request itself (docs/decisions/002-kubernetes-connection.md).
    """
    url = URL(server)
    host = url.host or ""
    if _is_loopback(host) or proxy_bypass(f"{host}:{url.port}"):
        return None
    return getproxies().get(url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
