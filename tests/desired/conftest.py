"""No deadlines for single examples: the machine that runs the tests may be slow and shared."""

from hypothesis import settings

from kubeservers import kubernetes_server

__all__ = ["kubernetes_server"]

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
