"""One Postgres cluster under test: the resource, its members, its database, as their users see them."""

from __future__ import annotations

import base64
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
import urllib3
from psycopg import sql

from api_client import Api, eventually


def manifest(name: str, **spec: Any) -> dict[str, Any]:
    """A small cluster of two."""
    return {
        "apiVersion": "acid.zalan.do/v1",
        "kind": "postgresql",
        "metadata": {"name": name},
        "spec": {
            "teamId": "acid",
            "volume": {"size": "1Gi"},
            "numberOfInstances": 2,
            "users": {"zalando": ["superuser", "createdb"], "foo_user": []},
            "databases": {"foo": "zalando"},
            "postgresql": {"version": "18"},
            **spec,
        },
    }


@dataclass
class Cluster:
    api: Api
    name: str

    @property
    def path(self) -> str:
        return f"{self.resources}/{self.name}"

    @property
    def resources(self) -> str:
        return f"{self.api.root('acid.zalan.do/v1')}/postgresqls"

    @property
    def core(self) -> str:
        return self.api.root()

    def create(self, **spec: Any) -> Cluster:
        self.api.call("POST", self.resources, manifest(self.name, **spec))
        return self

    def change(self, **spec: Any) -> None:
        self.api.merge(self.path, {"spec": spec})

    @property
    def resource(self) -> Any:
        return self.api.get(self.path)

    @property
    def word(self) -> str:
        return str(self.resource.get("status", {}).get("PostgresClusterStatus", ""))

    def condition(self, kind: str) -> Mapping[str, str]:
        conditions = self.resource.get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == kind), {})

    def settled(self) -> bool:
        """The operator saw the present generation and has nothing left to do."""
        resource = self.resource
        status = resource.get("status", {})
        states = {one["type"]: one["status"] for one in status.get("conditions", [])}
        return (
            status.get("PostgresClusterStatus") == "Running"
            and status.get("observedGeneration") == resource["metadata"]["generation"]
            and states.get("Ready") == "True"
            and states.get("Progressing") == "False"
            and states.get("Degraded") == "False"
        )

    def wait_settled(self, members: int | None = None) -> None:
        def done() -> bool:
            return self.settled() and (members is None or len(self.pods()) == members)

        try:
            eventually(done, f"{self.name} is as wanted, of {members or 'as many'} members")
        except AssertionError as error:
            states = {name: pod["status"].get("containerStatuses") for name, pod in self.pods().items()}
            patroni = {name: self.patroni(name) for name in states}
            raise AssertionError(f"{error}\n{self.resource.get('status')}\n{states}\n{patroni}") from None

    def pods(self) -> dict[str, Any]:
        found = self.api.get(f"{self.core}/pods?labelSelector=cluster-name%3D{self.name}")["items"]
        return {pod["metadata"]["name"]: pod for pod in found}

    def uids(self) -> dict[str, str]:
        """Pod to the id that it does not share with the pod that takes its place."""
        return {name: pod["metadata"]["uid"] for name, pod in self.pods().items()}

    def primary(self) -> str:
        """Name of the pod that Patroni labels master."""
        leaders = [
            name for name, pod in self.pods().items() if pod["metadata"].get("labels", {}).get("spilo-role") == "master"
        ]
        return leaders[0] if len(leaders) == 1 else ""

    def replicas(self) -> list[str]:
        primary = self.primary()
        return sorted(name for name in self.pods() if name != primary)

    def patroni(self, pod: str, path: str = "cluster") -> Any:
        """What Patroni's REST API in a pod answers; None when it does not."""
        address = self.pods()[pod]["status"].get("podIP", "")
        try:
            return self.api.pool.request("GET", f"http://{address}:8008/{path}", timeout=5.0).json()
        except (urllib3.exceptions.HTTPError, ValueError):
            return None

    def synchronous(self) -> bool:
        """Patroni names a synchronous standby: until then nobody may take over, and afterwards nothing can be lost."""
        primary = self.primary()
        known = self.patroni(primary) if primary else None
        return known is not None and any(one["role"] == "sync_standby" for one in known["members"])

    def well(self) -> bool:
        """Two members as wanted, the replica synchronous: the loss of either costs no row."""
        return len(self.pods()) == 2 and self.settled() and self.synchronous()

    def children(self, plural: str, group: str = "v1") -> dict[str, Any]:
        found = self.api.get(f"{self.api.root(group)}/{plural}?labelSelector=cluster-name%3D{self.name}")["items"]
        return {one["metadata"]["name"]: one for one in found}

    def password(self, role: str) -> str:
        name = f"{role.replace('_', '-')}.{self.name}.credentials.postgresql.acid.zalan.do"
        secret = self.api.get(f"{self.core}/secrets/{name}")
        return base64.b64decode(secret["data"]["password"]).decode()

    def service_address(self, suffix: str = "") -> str:
        """Of the master service; ``-repl`` is the replicas'."""
        return str(self.api.get(f"{self.core}/services/{self.name}{suffix}")["spec"]["clusterIP"])

    def connect(self, host: str = "", *, database: str = "postgres", user: str = "postgres") -> psycopg.Connection[Any]:
        """A session through the master service, or to one address."""
        return psycopg.connect(
            host=host or self.service_address(),
            dbname=database,
            user=user,
            password=self.password(user),
            connect_timeout=10,
            autocommit=True,
        )

    def ask(self, query: str, host: str = "", **where: str) -> Any:
        """First column of the first row."""
        with self.connect(host, **where) as session:
            row = session.execute(query).fetchone()
        return row[0] if row else None

    def writable(self, pod: str) -> bool:
        """Whether a client that reaches this pod could write there now."""
        address = self.pods()[pod]["status"].get("podIP", "")
        try:
            return self.ask("SELECT NOT pg_is_in_recovery()", address) is True
        except psycopg.OperationalError:
            return False


IMPATIENT = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
"""A client that notices when nobody is there any more. It sets no time limit to a statement: one that ends the wait for
the synchronous replica is acknowledged, with a warning."""


@dataclass
class Writer:
    """A client that writes and remembers what was acknowledged; it reconnects for ever.

    Through the service, or to one address, for as long as that one is the primary's. ``enter`` takes it into another
    network first.
    """

    cluster: Cluster
    address: str = ""
    table: str = "written"
    enter: Callable[[], None] | None = None
    acknowledged: set[int] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def __enter__(self) -> Writer:
        with eventually(lambda: self.cluster.connect(self.address), "a client gets in") as session:
            session.execute(self._sql("CREATE TABLE IF NOT EXISTS {} (number bigint PRIMARY KEY)"))
            last = session.execute(self._sql("SELECT coalesce(max(number), 0) FROM {}")).fetchone()
            self._last = int(last[0]) if last else 0
        self._address = self.address or self.cluster.service_address()
        self._password = self.cluster.password("postgres")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def progress(self, rows: int = 20) -> None:
        """Wait until so many more rows are acknowledged."""
        target = len(self.acknowledged) + rows
        try:
            eventually(lambda: len(self.acknowledged) >= target, f"{rows} more rows are written")
        except AssertionError as failure:
            where = "".join(traceback.format_stack(sys._current_frames()[self._thread.ident or 0]))
            failure.add_note(f"errors of the writer: {self.errors[-5:]}; it is at\n{where}")
            raise

    def lost(self) -> set[int]:
        """Acknowledged rows that are not there."""
        acknowledged = set(self.acknowledged)  # before the look: what comes later need not be in it
        with self.cluster.connect() as session:
            found = {row[0] for row in session.execute(self._sql("SELECT number FROM {}"))}
        return acknowledged - found

    def _sql(self, text: LiteralString) -> sql.Composed:
        return sql.SQL(text).format(sql.Identifier(self.table))

    def _run(self) -> None:
        if self.enter:
            self.enter()
        number, insert = self._last, self._sql("INSERT INTO {} VALUES (%s)")
        while not self._stop.is_set():
            try:
                with psycopg.connect(
                    host=self._address,
                    dbname="postgres",
                    user="postgres",
                    password=self._password,
                    connect_timeout=5,
                    autocommit=True,
                    **IMPATIENT,
                ) as session:
                    while not self._stop.is_set():
                        number += 1
                        session.execute(insert, (number,))
                        self.acknowledged.add(number)
                        self._stop.wait(0.01)
            except psycopg.Error as error:
                self.errors.append(str(error).strip())
                self._stop.wait(0.1)
