"""Views of pods and their containers."""

from __future__ import annotations

import msgspec
from msgspec.structs import force_setattr

from pgherd.facts.view import EMPTY, Condition, Part, View


class Running(Part, frozen=True, kw_only=True):
    """``state.running``."""

    started_at: str | None = None


class Waiting(Part, frozen=True, kw_only=True):
    """``state.waiting``: ``reason`` such as ``ImagePullBackOff``."""

    reason: str = ""
    message: str = ""


class Terminated(Part, frozen=True, kw_only=True):
    """``state.terminated``."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    finished_at: str | None = None


class ContainerState(Part, frozen=True, kw_only=True):
    """Exactly one of the three is set."""

    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Part, frozen=True, kw_only=True):
    """``restart_count`` counts since the pod was made."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class Container(Part, frozen=True, kw_only=True):
    """What a pod was made with; its status tells what runs. All that is kept of ``env`` is ``PGVERSION``."""

    name: str = ""
    image: str = ""
    env: msgspec.Raw = EMPTY
    version: str = ""

    def __post_init__(self) -> None:
        if b'"PGVERSION"' in bytes(self.env):
            variables = msgspec.json.decode(self.env)
            version = next((one.get("value", "") for one in variables if one.get("name") == "PGVERSION"), "")
            force_setattr(self, "version", version)
        force_setattr(self, "env", EMPTY)


class PodSpec(Part, frozen=True, kw_only=True):
    """Placement and images."""

    node_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    service_account_name: str = ""


class PodStatus(Part, frozen=True, kw_only=True):
    """``phase`` is Pending, Running, Succeeded, Failed or Unknown."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    start_time: str | None = None
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(View, frozen=True, kw_only=True):
    """A pod: where it is, what runs in it, since when."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def ready(self) -> bool:
        """Condition ``Ready`` is true."""
        return any(entry.type == "Ready" and entry.status == "True" for entry in self.status.conditions)

    def container(self, name: str) -> ContainerStatus | None:
        """Status of one container, ``None`` before the node has reported it."""
        return next((entry for entry in self.status.container_statuses if entry.name == name), None)
