"""The real API server of tests/kubeservers.py as a fixture for this folder; no deadlines on a slow machine."""

from hypothesis import settings

from kubeservers import kubernetes_server

settings.register_profile("api", deadline=None)
settings.load_profile("api")

__all__ = ["kubernetes_server"]
