"""Every error that pgherd raises on purpose, as one tree.

::

    PgherdError                     what happened, to which object, and what to do
    ├── ManifestError               a resource or a configuration that cannot be used; carries all its faults
    │   └── Misnamed                the naming rule refuses a cluster, which is not managed then
    ├── KubernetesError             the API server answered with a Status
    │   ├── NotFound                404
    │   ├── Conflict                409, the object changed since it was read
    │   │   └── AlreadyExists       409, create of a name that is taken
    │   ├── Gone                    410, the resource version is too old or from another history
    │   ├── Forbidden               401, 403
    │   ├── Invalid                 400, 422, refused by schema or admission
    │   └── Overloaded              429 and 5xx; ``retry_after`` seconds when the server said so
    ├── Unreachable                 no answer at all: connection refused, reset, timed out, no route
    ├── PatroniError                Patroni answered, and the answer was a refusal
    ├── DatabaseError               PostgreSQL refused a statement or a login
    ├── Fenced                      leadership is not certain any more; nothing may be written
    └── LocalError                  the embedded default: port taken, library missing, disk full

No message holds a secret. A message names the object and, where there is one, the cure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PgherdError(Exception):
    """Base of all; ``str()`` is a sentence for a person."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a manifest or a configuration.

    ``path`` is written as in YAML (``spec.patroni.ttl``), ``value`` is how the offending value reads (never a
    secret: callers pass ``<redacted>``), ``cure`` says what would be accepted.
    """

    path: str
    problem: str
    cure: str = ""
    value: str = ""

    def __str__(self) -> str:
        shown = f" (is {self.value})" if self.value else ""
        cure = f"; {self.cure}" if self.cure else ""
        return f"{self.path}: {self.problem}{shown}{cure}"


class ManifestError(PgherdError):
    """A manifest or configuration with all its faults at once."""

    def __init__(self, subject: str, faults: Sequence[Fault]) -> None:
        self.subject = subject
        self.faults = tuple(faults)
        super().__init__(f"{subject}: " + "; ".join(str(fault) for fault in self.faults))


class Misnamed(ManifestError):
    """A cluster whose name breaks the rule of ``enable_team_id_clustername_prefix``."""


class KubernetesError(PgherdError):
    """A Status answer of the API server."""

    def __init__(self, message: str, *, code: int = 0, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.retry_after = retry_after


class NotFound(KubernetesError):
    """404."""


class Conflict(KubernetesError):
    """409: a precondition (uid, resourceVersion) does not hold any more."""


class AlreadyExists(Conflict):
    """409 on create."""


class Gone(KubernetesError):
    """410, or a resource version that this server has never issued."""


class Forbidden(KubernetesError):
    """401 or 403."""


class Invalid(KubernetesError):
    """400 or 422: the object was refused."""


class Overloaded(KubernetesError):
    """429, 500, 502, 503, 504: try again, after ``retry_after`` seconds when given."""


class Unreachable(PgherdError):
    """No answer: the peer may or may not have acted."""


class PatroniError(PgherdError):
    """Patroni's REST API refused; ``code`` is the HTTP status."""

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class DatabaseError(PgherdError):
    """PostgreSQL refused; ``sqlstate`` is its five-letter code when there is one."""

    def __init__(self, message: str, *, sqlstate: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class Fenced(PgherdError):
    """This process is not, or not certainly, the leader."""


class LocalError(PgherdError):
    """The embedded default cannot go on; the message says what to do."""
