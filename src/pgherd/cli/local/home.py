"""The folder of a local cluster and what is where in it.

::

    kubeconfig       for kubectl and everybody else; mode 0600
    settings.json    what this cluster was made with: addresses and port
    programs.yaml    which images localkube runs, and as what
    run/             supervisor, pids, logs of localkube and the operator
    localkube/       objects, pods, claims: the data
    cache/           downloaded programs ($PGHERD_CACHE puts them elsewhere)
"""

from __future__ import annotations

import ipaddress
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from pgherd import __version__
from pgherd.errors import LocalError

IMAGE = "pgherd/postgres"
IMAGES = {
    IMAGE: {
        "command": ["{python}", "-m", "pgherd_instance"],
        "packages": [{"kind": "postgresql", "major_from": {"env": ["PGVERSION"], "default": 18}}],
    }
}
PORT = 6443


@dataclass(frozen=True)
class Settings:
    """``address_range`` lies in 127.0.0.0/8; the API server has its first address."""

    address_range: str
    port: int = PORT

    @property
    def address(self) -> str:
        return str(ipaddress.IPv4Network(self.address_range)[1])

    @property
    def server(self) -> str:
        return f"http://{self.address}:{self.port}"


def default_range() -> str:
    """A range per user, so that two users of a machine do not meet."""
    return f"127.{64 + os.getuid() % 128}.0.0/16"


@dataclass(frozen=True)
class Home:
    """Paths. Nothing is made by naming them."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def programs(self) -> Path:
        return self.folder / "programs.yaml"

    @property
    def data(self) -> Path:
        return self.folder / "localkube"

    @property
    def cache(self) -> Path:
        given = os.environ.get("PGHERD_CACHE")
        return Path(given).expanduser().absolute() if given else self.folder / "cache"

    def log(self, service: str) -> Path:
        return self.folder / "run" / f"{service}.log"

    @property
    def settings(self) -> Settings | None:
        """None before the first ``up``. Raises LocalError for a file that cannot be read."""
        file = self.folder / "settings.json"
        try:
            return Settings(**json.loads(file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise LocalError(f"{file}: cannot be read ({error}). Cure: pgherd local reset") from None

    def choose(self, address_range: str | None) -> Settings:
        """The settings of this home; of a new one with the range that is asked for.

        Raises LocalError for a range that is none, or is not the one of the data that is there.
        """
        known = self.settings
        wanted = _network(address_range) if address_range else None
        if known is None:
            return Settings(wanted or default_range())
        if wanted and wanted != known.address_range:
            raise LocalError(
                f"the cluster in {self.folder} has the addresses {known.address_range}, services keep theirs for good. "
                f"Cure: leave --address-range out, or remove the data first: pgherd local reset"
            )
        return known

    def prepare(self, settings: Settings) -> None:
        """Make the folder and write what localkube reads. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cache.mkdir(parents=True, exist_ok=True)
        replace(self.folder / "settings.json", json.dumps(asdict(settings)) + "\n")
        replace(self.programs, yaml.safe_dump({"images": IMAGES}, sort_keys=False))


def image() -> str:
    """Name of our database image, of this version."""
    return f"{IMAGE}:{__version__}"


def replace(path: Path, text: str) -> None:
    """Write at one stroke: a reader sees the old text or the new one, also after a kill."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


def _network(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise LocalError(f"--address-range {text}: {error}. Cure: write for example 127.99.0.0/16") from None
    if not network.is_loopback or network.num_addresses < 64:
        raise LocalError(f"--address-range {text}: must be 64 addresses or more of 127.0.0.0/8, as 127.99.0.0/16")
    return str(network)
