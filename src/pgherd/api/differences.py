"""Where we differ from the reference on purpose, each with its reason.

A test compares our schemas and defaults with the reference's, node by node, and fails on any difference that is not
listed here, and on any entry here that no longer is one. ``docs/compatibility.md`` prints the list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pgherd.api.types import P_CPU_OR_EMPTY, P_MEMORY_ACCEPTED, P_MEMORY_OR_EMPTY, POSTGRES_VERSIONS


@dataclass(frozen=True)
class Difference:
    """``where`` is a regular expression for paths of the schema (``spec.users{}``, ``configuration.workers``).

    ``schema`` holds what our node says differently; empty for a difference in behaviour only.
    """

    where: str
    reference: str
    ours: str
    reason: str
    schema: Mapping[str, Any] = field(default_factory=dict)

    def concerns(self, path: str) -> bool:
        """Whether the entry speaks of this node."""
        return re.fullmatch(self.where, path) is not None


SCHEMA_DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        r"spec\.postgresql\.version",
        "14 to 18",
        "12 to 18",
        "clusters of ended versions can be taken over and upgraded; a warning says that they should be",
        {"enum": list(POSTGRES_VERSIONS)},
    ),
    Difference(
        r"spec\.users\{\}",
        "null removes the role",
        "null means no flags",
        "v1 and the documentation allow it, and a role must not vanish for a spelling",
        {"nullable": True},
    ),
    Difference(
        r"spec\.volume\.size|spec\.streams\[\]\.memory|spec\..*resources\.(limits|requests)\.(memory|hugepages-.*)",
        "refuses k",
        "accepts k, the suffix that Kubernetes itself reads",
        "K passes the reference's pattern and then fails; we accept both and write what Kubernetes reads",
        {"pattern": P_MEMORY_ACCEPTED},
    ),
    Difference(
        r"status",
        "only PostgresClusterStatus",
        "conditions, observedGeneration and further facts beside it",
        "a person can see why; the word stays as it is",
        {"x-kubernetes-preserve-unknown-fields": True},
    ),
    Difference(
        r"status\.(observedGeneration|conditions.*)",
        "not there",
        "there",
        "see status",
        {},
    ),
    Difference(
        r"spec\.init_containers\[\]",
        "not there",
        "there, free form",
        "the removed spelling of v1 is translated",
        {},
    ),
    Difference(
        r"spec\.podSecurityRestricted|configuration\.kubernetes\.pod_security_restricted",
        "not there: no database pod passes the restricted Pod Security Standard",
        "there, off by default",
        "namespaces that enforce the standard; nothing changes for whoever does not ask",
        {},
    ),
    Difference(
        r"configuration\.sidecars",
        "an object, which the operator then cannot read",
        "a list of containers",
        "global sidecars cannot be used at all otherwise",
        {"type": "array", "x-kubernetes-preserve-unknown-fields": None},
    ),
    Difference(
        r"configuration\.users\.password_rotation_(interval|user_retention)",
        "a negative number passes the schema and stops the operator",
        "a negative number is refused by the API server",
        "it can be said earlier, and no working object holds one",
        {"minimum": 0},
    ),
    Difference(
        r"configuration\..*_cpu_(request|limit)",
        "refuses the empty string",
        "empty means none",
        "documented, and accepted by v1 and by the ConfigMap form",
        {"pattern": P_CPU_OR_EMPTY},
    ),
    Difference(
        r"configuration\..*_memory_(request|limit)",
        "refuses the empty string and k",
        "empty means none, k is accepted",
        "as for CPU, and as for amounts of memory in manifests",
        {"pattern": P_MEMORY_OR_EMPTY},
    ),
)
"""Differences of the CRDs."""

DEFAULT_DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        r"kubernetes\.(secret_name_template|pdb_name_format)",
        "empty when the section kubernetes is missing, so that no cluster can be created",
        "the default of the schema",
        "there is no working configuration that this changes",
    ),
)
"""Differences of effective defaults."""

BEHAVIOUR_DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        r"spec\.maintenanceWindows",
        "spaces around a window and one-digit minutes make the whole resource invalid; the process time zone counts",
        "they are read as meant; always UTC",
        "the schema lets them pass and the documentation says UTC",
    ),
    Difference(
        r"spec\.additionalVolumes\[\]\.volumeSource",
        "keys match in any case, unknown ones are ignored",
        "the same, and the published spelling is written into the pods",
        "the shipped example relies on it",
    ),
    Difference(
        r"spec\.(init_containers|pod_priority_class_name|useLoadBalancer|replicaLoadBalancer)",
        "version 2 drops them silently",
        "translated as version 1 did, with a warning",
        "manifests of version 1 carry over",
    ),
    Difference(
        r"configuration\.kubernetes\.infrastructure_roles_secrets",
        "four of eight fields are lost on import",
        "all are used",
        "they are in the schema and documented",
    ),
    Difference(
        r"configuration\.kubernetes\.(oauth_token_secret_name|infrastructure_roles_secret_name|pod_environment_configmap)",
        "an empty string stops the operator",
        "an empty string means none",
        "it says the same as leaving the key out",
    ),
    Difference(
        r"configuration\..*\.(pod_management_policy|external_traffic_policy|connection_pooler_mode|logical_backup_provider)",
        "an unknown word in a ConfigMap fails later, at each cluster",
        "the configuration is refused, with the accepted words",
        "it can be said earlier; the words that the reference takes as another one are taken so here, too",
    ),
    Difference(
        r"spec\.connectionPooler\.schema|configuration\.connection_pooler\.connection_pooler_schema",
        "stands in SQL as it is",
        "in lower case, as PostgreSQL reads a name without quotes; one that PgBouncer's query cannot say is refused",
        "function and query mean the same schema, and a manifest writes no SQL",
    ),
    Difference(
        r"spec\.connectionPooler\.user",
        "a reserved name falls back to the option for the role, but not for the Secret in the pods",
        "falls back everywhere, with a notice",
        "a pooler that logs in as the superuser is a hole",
    ),
    Difference(
        r"spec\.patroni\.(synchronous_mode|synchronous_node_count)",
        "when absent, Patroni is told off and 0 at every sync",
        "when absent, Patroni is left alone; what the manifest said before goes back to the default",
        "a mode that somebody set by hand is a decision",
    ),
    Difference(
        r"configuration\.kubernetes\.watched_namespace",
        "one namespace, or all",
        "several are possible, separated by commas",
        "rights can be given in some namespaces only",
    ),
    Difference(
        r"configuration\.workers",
        "threads; each waits for its cluster",
        "each stands for eight clusters at once",
        "a pass costs little while it waits",
    ),
    Difference(
        r"configuration\.logging_rest_api\.api_port",
        "the HTTP API",
        "probes and metrics; the paths of the HTTP API are not served yet",
        "see docs/metrics.md",
    ),
)
"""Differences that no schema shows."""
