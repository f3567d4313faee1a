"""One loopback address for each pod and each service, remembered across restarts.

Addresses are handed out in turn, so that one just given back is not soon another's: a late connection then finds nobody
rather than the wrong member.
"""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path


class AddressesError(Exception):
    """No address, or not the one that was asked for."""


class Addresses:
    """``network`` is a part of 127.0.0.0/8; its first ten addresses are left to others (the API server)."""

    def __init__(self, network: str, path: Path) -> None:
        self._network = ipaddress.IPv4Network(network)
        if not self._network.is_loopback:
            raise AddressesError(f"{network} is not within 127.0.0.0/8")
        self._path = path
        self._owners: dict[str, str] = {}
        self._next = 10
        if path.exists():
            saved = json.loads(path.read_text())
            self._owners, self._next = saved["owners"], saved["next"]

    def take(self, owner: str, wanted: str = "") -> str:
        """The owner's address; the same one again for the same owner.

        :raises AddressesError: ``wanted`` is outside the range or someone else's, or none is left.
        """
        if wanted:
            if ipaddress.IPv4Address(wanted) not in self._network or self._owners.get(wanted, owner) != owner:
                raise AddressesError(f"{wanted} is not a free address of {self._network}")
            return self._give(wanted, owner)
        for address, holder in self._owners.items():
            if holder == owner:
                return address
        for _ in range(self._network.num_addresses):
            candidate = str(self._network[self._next])
            self._next = self._next + 1 if self._next + 2 < self._network.num_addresses else 10
            if candidate not in self._owners:
                return self._give(candidate, owner)
        raise AddressesError(f"every address of {self._network} is taken")

    def release(self, address: str) -> None:
        if self._owners.pop(address, None) is not None:
            self._save()

    def release_owner(self, owner: str) -> None:
        for address in [address for address, holder in self._owners.items() if holder == owner]:
            self.release(address)

    def _give(self, address: str, owner: str) -> str:
        self._owners[address] = owner
        self._save()
        return address

    def _save(self) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps({"owners": self._owners, "next": self._next}))
        draft.replace(self._path)
