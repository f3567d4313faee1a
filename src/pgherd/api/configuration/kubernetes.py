"""How clusters are laid out on Kubernetes: accounts, security, names, labels, scheduling, deletion (api.md 3.4.4)."""

from __future__ import annotations

from typing import Literal

from pgherd.api.configuration.infrastructure_role import InfrastructureRole
from pgherd.api.configuration.option import SAME, State, duration, option
from pgherd.api.configuration.section import ReadinessMerge, Section
from pgherd.api.duration import Duration
from pgherd.api.kubernetes import Probe
from pgherd.api.types import Int64, NamespacedName, StringMap


class Kubernetes(Section):
    """Section ``kubernetes``."""

    enable_owner_references: bool = option(False)
    """Set the `postgresql` object as controller owner of child objects (not PVCs, not secrets in foreign namespaces).
    Disables the delete-annotation check.
    """
    pod_service_account_name: str = option("postgres-pod", schema_default=SAME, fallback=True)
    """Service account of database, pooler and backup pods; created per namespace if missing. Wins over the name
    inside `pod_service_account_definition` (warning).
    """
    pod_service_account_definition: str = option("")
    """YAML or JSON of the ServiceAccount to create. Empty: a minimal one named `postgres-pod`, then renamed to
    `pod_service_account_name`. Unparsable text or another kind aborts start-up. Namespace in the text is ignored.
    """
    pod_service_account_role_binding_definition: str = option("")
    """YAML or JSON of the RoleBinding to create next to the service account. Empty: binds the account to a
    ClusterRole of the same name. Unparsable text or another kind aborts start-up. Never updated after creation.
    """
    pod_terminate_grace_period: Duration = duration("5m", schema_default=SAME, fallback=True)
    """terminationGracePeriodSeconds of database, pooler and backup pods."""
    liveness_probe: Probe | None = option(None, forms="crd")
    """Default liveness probe of the Postgres container; the manifest field `livenessProbe` replaces it as a whole. No
    probe when both are absent. Not available in the ConfigMap form.
    """
    spilo_privileged: bool = option(False)
    """Run the Postgres (and backup) container privileged; needed only for EBS resizing from inside the pod."""
    spilo_allow_privilege_escalation: bool = option(True, schema_default=SAME)
    """`allowPrivilegeEscalation` of the Postgres and backup containers."""
    spilo_runasuser: Int64 | None = option(None)
    """Pod-level runAsUser; manifest `spiloRunAsUser` wins. Unset: not written."""
    spilo_runasgroup: Int64 | None = option(None)
    """Pod-level runAsGroup; manifest `spiloRunAsGroup` wins. Unset: not written."""
    spilo_fsgroup: Int64 | None = option(None)
    """Pod-level fsGroup (also used for pooler pods); manifest `spiloFSGroup` wins. Unset: not written."""
    additional_pod_capabilities: list[str] = option([])
    """Linux capabilities added to the Postgres container; upper-cased."""
    watched_namespace: str = option("")
    """Namespace to watch; `*` = all; empty = namespace of the operator. Environment variable `WATCHED_NAMESPACE`
    wins. A namespace that does not exist stops the operator.
    """
    pdb_name_format: str = option("postgres-{cluster}-pdb", schema_default=SAME)
    """Name template of the primary PDB; placeholder `{cluster}`."""
    pdb_master_label_selector: bool = option(True, schema_default=SAME)
    """True: the primary PDB selects only the pod with role `master`. False: it selects all pods of the cluster; with
    `synchronous_mode_strict` its minAvailable then becomes `synchronous_node_count`+1.
    """
    enable_pod_disruption_budget: bool = option(True, schema_default=SAME)
    """False keeps both PDBs but relaxes them (primary: minAvailable 0, critical-op: maxUnavailable 100%). True also
    makes Patroni label pods `critical-operation=true` during bootstrap.
    """
    storage_resize_mode: Literal["ebs", "mixed", "pvc", "off"] = option("pvc", schema_default=SAME, fallback=True)
    """How a larger `volume.size` is applied. `pvc`: patch the PVC; `ebs`: resize the EBS volume and the file system
    directly; `mixed`: adjust size, type, iops and throughput through the AWS API, then patch the PVC; `off`: nothing.
    ConfigMap values are not checked; unknown words behave like `pvc`.
    """
    enable_init_containers: bool = option(True, schema_default=SAME)
    """False: creating the StatefulSet of a cluster with `initContainers` fails. Existing StatefulSets only get a
    warning.
    """
    enable_sidecars: bool = option(True, schema_default=SAME)
    """False: creating the StatefulSet of a cluster with manifest `sidecars` fails. Existing StatefulSets only get a
    warning. Global sidecars are unaffected.
    """
    share_pgsocket_with_sidecars: bool = option(False)
    """Mount a memory-backed emptyDir `postgresql-run` at `/var/run/postgresql` in every container of the database
    pod.
    """
    secret_name_template: str = option("{username}.{cluster}.credentials.{tprkind}.{tprgroup}", schema_default=SAME)
    """Name template of credential secrets; placeholders `{username}` (underscores become dashes), `{cluster}`,
    `{tprkind}` (`postgresql`), `{tprgroup}` (`acid.zalan.do`). There is no `{namespace}` placeholder although the
    reference documentation lists one; for cross-namespace users the namespace is part of `{username}`.
    """
    cluster_domain: str = option("cluster.local", schema_default=SAME, fallback=True)
    """DNS domain of the Kubernetes cluster; the operator connects to `<cluster>.<namespace>.svc.<cluster_domain>`."""
    oauth_token_secret_name: NamespacedName = option(
        "postgresql-operator", schema_default="postgres-operator", missing=""
    )
    """Secret with the bearer token for the Teams API (keys in api.md 4.2). No namespace given: operator namespace."""
    infrastructure_roles_secret_name: NamespacedName = option("", state=State.DEPRECATED)
    """Deprecated. Secret with numbered keys `user1`/`password1`/`inrole1`... (4.3). No namespace given: operator
    namespace.
    """
    infrastructure_roles_secrets: list[InfrastructureRole] = option([])
    """References to secrets that define infrastructure roles (4.3). CRD: list of objects; ConfigMap: one comma-
    separated `key:value` string describing a single secret. CRD form ignores `defaultuservalue`,
    `defaultrolevalue`, `details` and `template`,.
    """
    pod_role_label: str = option("spilo-role", schema_default=SAME, fallback=True)
    """Label that Patroni keeps on pods with the role (`master`/`replica`); also set on services, endpoints and pooler
    objects.
    """
    cluster_labels: StringMap = option({"application": "spilo"}, schema_default=SAME, fallback=True)
    """Labels put on all objects of a cluster and used in all selectors."""
    inherited_labels: list[str] = option([])
    """Label keys copied from the `postgresql` object to child objects (not used in selectors)."""
    inherited_annotations: list[str] = option([])
    """Annotation keys (exact match) copied from the `postgresql` object to child objects."""
    downscaler_annotations: list[str] = option([])
    """Regular expressions (unanchored); matching annotations of the `postgresql` object are copied to the
    StatefulSet, pooler Deployments and stream objects. An invalid expression is logged and all annotations of
    that object are dropped for that pass.
    """
    ignored_annotations: list[str] = option([])
    """Annotation keys skipped when actual and desired objects are compared."""
    cluster_name_label: str = option("cluster-name", schema_default=SAME, fallback=True)
    """Label whose value is the cluster name."""
    delete_annotation_date_key: str = option("")
    """Name of an annotation that must hold today's date (`YYYY-MM-DD`, operator local time) at the moment of
    deletion, else child objects are kept. Empty = check off.
    """
    delete_annotation_name_key: str = option("")
    """Name of an annotation that must hold the cluster name at the moment of deletion, else child objects are kept.
    Empty = check off.
    """
    node_readiness_label: StringMap = option({})
    """Labels a node must carry to count as ready. Non-empty: adds a required node affinity to database and pooler
    pods, and an unschedulable node that lacks them loses its master pods.
    """
    node_readiness_label_merge: ReadinessMerge = option("OR", missing="")
    """How the readiness affinity joins a manifest `nodeAffinity` with required terms: `OR` appends one more term,
    `AND` adds the expressions to every term. CRD form has no default; empty (or any other word) means the
    readiness expressions are dropped whenever the manifest already has required terms.
    """
    custom_pod_annotations: StringMap = option({})
    """Annotations for database, pooler and backup pods; manifest `podAnnotations` override per key."""
    toleration: StringMap = option({})
    """Single toleration given as map with keys `key`, `operator`, `value`, `effect`; used when the manifest has no
    `tolerations`.
    """
    pod_environment_configmap: NamespacedName = option("")
    """ConfigMap whose entries become literal environment variables of the Postgres container (precedence in api.md
    2.6.3). Looked up in the given (or operator) namespace, then in the cluster namespace; missing in both fails the
    sync.
    """
    pod_environment_secret: str = option("")
    """Secret in the cluster namespace whose entries become environment variables through secretKeyRef. Polled until
    `resource_check_timeout`; still missing then fails the sync.
    """
    pod_priority_class_name: str = option("")
    """Priority class of database pods; manifest `podPriorityClassName` wins."""
    master_pod_move_timeout: Duration = duration("20m", schema_default=SAME, missing="10m", fallback=True)
    """How long to keep retrying (once a minute) to move master pods off an unschedulable node."""
    enable_pod_antiaffinity: bool = option(False)
    """Add pod anti-affinity between pods of the same cluster (and between pods of the same pooler)."""
    pod_antiaffinity_preferred_during_scheduling: bool = option(False)
    """True: preferred (weight 1) instead of required anti-affinity."""
    pod_antiaffinity_topology_key: str = option("kubernetes.io/hostname", schema_default=SAME, fallback=True)
    """Topology key of that anti-affinity."""
    pod_management_policy: Literal["ordered_ready", "parallel"] = option(
        "ordered_ready", schema_default=SAME, fallback=True
    )
    """StatefulSet pod management: `ordered_ready` or `parallel`. Any other ConfigMap value makes StatefulSet
    generation fail.
    """
    persistent_volume_claim_retention_policy: StringMap = option(
        {"when_deleted": "retain", "when_scaled": "retain"}, missing={}
    )
    """Map with keys `when_deleted` and `when_scaled`, values `retain` or `delete`, written to the StatefulSet.
    Anything but `delete` means retain; unknown keys are ignored; v2 schema has no enum here.
    """
    enable_secrets_deletion: bool = option(True, schema_default=SAME)
    """False keeps credential secrets when a cluster is deleted."""
    enable_persistent_volume_claim_deletion: bool = option(True, schema_default=SAME)
    """False keeps PVCs when a cluster is deleted."""
    enable_readiness_probe: bool = option(False)
    """Add a readiness probe to the Postgres container: HTTP GET `/readiness` port 8008, delay 6 s, period 10 s,
    timeout 5 s, success 1, failure 3.
    """
    enable_cross_namespace_secret: bool = option(False)
    """Allow secrets outside the cluster namespace: `<namespace>.<user>` under `users`, and `secretNamespace` of
    prepared databases.
    """
    enable_finalizers: bool = option(False)
    """Put finalizer `postgres-operator.acid.zalan.do` on each `postgresql` object and clean up when its
    deletionTimestamp appears. False removes the finalizer on the next sync. Deletion through the finalizer path skips
    the delete-annotation check,.
    """
