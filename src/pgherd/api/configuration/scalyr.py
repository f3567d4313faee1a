"""The deprecated log shipping sidecar (api.md 3.4.13)."""

from __future__ import annotations

from pgherd.api.configuration.option import SAME, State, option, secret
from pgherd.api.configuration.section import Section
from pgherd.api.types import CpuOrEmpty, MemoryOrEmpty, SecretText


class Scalyr(Section):
    """Section ``scalyr``."""

    scalyr_api_key: SecretText = secret(state=State.DEPRECATED)
    """Deprecated group. API key of the Scalyr sidecar; environment variable `SCALYR_API_KEY` wins. Sidecar is added
    only when key and image are both set.
    """
    scalyr_image: str = option("", state=State.DEPRECATED)
    """Image of the Scalyr sidecar (container name `scalyr-sidecar`)."""
    scalyr_server_url: str = option(
        "https://upload.eu.scalyr.com", schema_default=SAME, missing="", state=State.DEPRECATED
    )
    """Passed as `SCALYR_SERVER_URL` when not empty."""
    scalyr_cpu_request: CpuOrEmpty = option("100m", schema_default=SAME, missing="", state=State.DEPRECATED)
    """CPU request of the Scalyr sidecar."""
    scalyr_memory_request: MemoryOrEmpty = option("50Mi", schema_default=SAME, missing="", state=State.DEPRECATED)
    """Memory request of the Scalyr sidecar."""
    scalyr_cpu_limit: CpuOrEmpty = option("1", schema_default=SAME, missing="", state=State.DEPRECATED)
    """CPU limit of the Scalyr sidecar."""
    scalyr_memory_limit: MemoryOrEmpty = option("500Mi", schema_default=SAME, missing="", state=State.DEPRECATED)
    """Memory limit of the Scalyr sidecar."""
