"""The asyncio half of the official client, and of it only what is asked for.

The client's two packages import all of their parts when they are entered: the synchronous half with requests and
oauthlib, and ``dynamic``, which takes ``kubernetes-validate`` too where it is installed, and with it a grammar that is
parsed anew in each process (0.6 s). pgherd wants three modules, whenever a command speaks to an API server. So the
packages are entered without running their ``__init__``. It runs as soon as somebody asks a package for anything: to
others in this process they are as usual.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

__all__ = ["ApiClient", "ConfigException", "Configuration", "load_incluster_config", "load_kube_config"]


class _Entered(ModuleType):
    """A package whose ``__init__`` has not run yet."""

    def __getattr__(self, name: str) -> Any:
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def _enter(package: str) -> None:
    if package in sys.modules:
        return
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    module = module_from_spec(spec)
    module.__class__ = _Entered
    sys.modules[package] = module
    above, _, name = package.rpartition(".")
    if above:
        setattr(sys.modules[above], name, module)


_enter("kubernetes")
_enter("kubernetes.aio")

from kubernetes.aio.client import ApiClient, Configuration  # noqa: E402
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config  # noqa: E402
