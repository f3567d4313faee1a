"""Defaults of Patroni (api.md 3.4.15)."""

from __future__ import annotations

from pgherd.api.configuration.option import option
from pgherd.api.configuration.section import Section


class PatroniDefaults(Section):
    """Section ``patroni``."""

    enable_patroni_failsafe_mode: bool = option(False)
    """Default for Patroni `failsafe_mode`; manifest `patroni.failsafe_mode` wins."""
