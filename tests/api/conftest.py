"""The real API server of tests/kubeservers.py, as a fixture for this folder."""

from kubeservers import kubernetes_server

__all__ = ["kubernetes_server"]
