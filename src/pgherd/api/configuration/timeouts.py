"""How long the operator waits, and how often it looks (api.md 3.4.6)."""

from __future__ import annotations

from pgherd.api.configuration.option import SAME, State, duration
from pgherd.api.configuration.section import Section
from pgherd.api.duration import Duration


class Timeouts(Section):
    """Section ``timeouts``."""

    resource_check_interval: Duration = duration("3s", schema_default=SAME, fallback=True)
    """Poll interval while waiting for a StatefulSet, its pods, a PDB deletion or `pod_environment_secret`."""
    resource_check_timeout: Duration = duration("10m", schema_default=SAME, fallback=True)
    """Time limit for those waits."""
    pod_label_wait_timeout: Duration = duration("10m", schema_default=SAME, fallback=True)
    """Time to wait for a recreated or promoted pod to get its role label."""
    pod_deletion_wait_timeout: Duration = duration("10m", schema_default=SAME, fallback=True)
    """Time to wait for a deleted pod to disappear."""
    ready_wait_interval: Duration = duration("4s", schema_default=SAME, fallback=True, state=State.NO_EFFECT)
    """No effect; the environment variable `CRD_READY_WAIT_INTERVAL` counts."""
    ready_wait_timeout: Duration = duration("30s", schema_default=SAME, fallback=True, state=State.NO_EFFECT)
    """No effect; the environment variable `CRD_READY_WAIT_TIMEOUT` counts."""
    patroni_api_check_interval: Duration = duration("1s", schema_default=SAME, fallback=True)
    """Pause between retries of a Patroni REST call."""
    patroni_api_check_timeout: Duration = duration("5s", schema_default=SAME, fallback=True)
    """Total time for such retries."""
