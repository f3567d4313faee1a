"""What a service needs that nobody else may have: its cluster address and node ports."""

from __future__ import annotations

from collections.abc import Callable

from localkube.api import Object
from localkube.store import Store


class Addressing:
    """``assign`` gives a service its address, ``release`` takes it back: the node's, where there is a node."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.assign: Callable[[Object], str] = self._free_address
        self.release: Callable[[str], None] = lambda _: None

    def complete(self, obj: Object, *, dry_run: bool) -> None:
        """Sets addresses, families and ports that are not set. A dry run takes no address."""
        spec = obj["spec"]
        if spec.get("type") == "ExternalName":
            return
        both = spec.get("clusterIP") == "None" and not spec.get("selector")
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
        if not spec.get("clusterIP"):
            spec["clusterIP"] = "" if dry_run else self.assign(obj)
        if spec["clusterIP"]:
            spec["clusterIPs"] = [spec["clusterIP"]]
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            for port in spec.get("ports", ()):
                if not port.get("nodePort"):
                    port["nodePort"] = self._free_port()

    def _free_address(self, _: Object) -> str:
        """Without a node that listens there: just an address that no other service has."""
        taken = {s.obj["spec"].get("clusterIP") for s in self.store.page("services", "")}
        return next(a for n in range(1, 65534) if (a := f"10.96.{n >> 8}.{n & 255}") not in taken)

    def _free_port(self) -> int:
        services = self.store.page("services", "")
        taken = {p.get("nodePort") for s in services for p in s.obj["spec"].get("ports", ())}
        return next(p for p in range(30000, 32768) if p not in taken)

    def forget(self, obj: Object) -> None:
        """The service is gone."""
        address = obj["spec"].get("clusterIP")
        if address not in (None, "", "None"):
            self.release(address)
