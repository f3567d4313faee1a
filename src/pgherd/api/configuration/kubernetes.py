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
    """YAML or JSON of the ServiceAccount to create; its namespace is ignored. Empty: a minimal one. Its name is
    `pod_service_account_name` in any case.
    """
    pod_service_account_role_binding_definition: str = option("")
    """YAML or JSON of the RoleBinding to create beside the service account; it is not updated later. Empty: binds the
    account to a ClusterRole of the same name.
    """
    pod_terminate_grace_period: Duration = duration("5m", schema_default=SAME, fallback=True)
    """terminationGracePeriodSeconds of database, pooler and backup pods."""
    liveness_probe: Probe | None = option(None, forms="crd")
    """Liveness probe of the database container; the one of a manifest replaces it as a whole. Cannot be written in a
    ConfigMap.
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
    pod_security_restricted: bool = option(False)
    """Make database, pooler and backup pods pass the restricted Pod Security Standard: not root (101:103 where no ids
    are set), no privilege escalation, no capabilities, seccomp RuntimeDefault, and for the database a read-only root
    file system with volumes at `/run` and `/tmp`, which needs pgherd's own image. Wins over `spilo_privileged`,
    `spilo_allow_privilege_escalation` and `additional_pod_capabilities`. Does not count for clusters that were taken
    over from another operator; manifest `podSecurityRestricted` wins.
    """
    watched_namespace: str = option("")
    """Namespace to watch; `*` for all, empty for the one of the operator. The environment variable
    `WATCHED_NAMESPACE` wins.
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
    directly; `mixed`: adjust size, type, iops and throughput through the AWS API, then patch the PVC; `off`:
    nothing. ConfigMap values are not checked; unknown words behave like `pvc`.
    """
    enable_init_containers: bool = option(True, schema_default=SAME)
    """Allow `initContainers` in manifests. False: new clusters with them are refused, existing ones get a warning."""
    enable_sidecars: bool = option(True, schema_default=SAME)
    """Allow `sidecars` in manifests. False: new clusters with them are refused, existing ones get a warning."""
    share_pgsocket_with_sidecars: bool = option(False)
    """Mount a memory-backed emptyDir `postgresql-run` at `/var/run/postgresql` in every container of the database
    pod.
    """
    secret_name_template: str = option("{username}.{cluster}.credentials.{tprkind}.{tprgroup}", schema_default=SAME)
    """Name of credential Secrets; placeholders `{username}` (with `-` for `_`), `{cluster}`, `{tprkind}`
    (`postgresql`) and `{tprgroup}` (`acid.zalan.do`).
    """
    cluster_domain: str = option("cluster.local", schema_default=SAME, fallback=True)
    """DNS domain of the Kubernetes cluster; the operator connects to `<cluster>.<namespace>.svc.<cluster_domain>`."""
    oauth_token_secret_name: NamespacedName = option(
        "postgresql-operator", schema_default="postgres-operator", missing=""
    )
    """Secret with the token for the Teams API, keys `read-only-token-type` and `read-only-token-secret`. Without
    namespace: the one of the operator.
    """
    infrastructure_roles_secret_name: NamespacedName = option("", state=State.DEPRECATED)
    """Deprecated, use `infrastructure_roles_secrets`. Secret with the keys `user1`, `password1`, `inrole1`, `user2`
    and so on. Without namespace: the one of the operator.
    """
    infrastructure_roles_secrets: list[InfrastructureRole] = option([])
    """Secrets that define roles for every cluster, one role each. In a ConfigMap: one Secret, as `key:value` pairs
    with commas between.
    """
    pod_role_label: str = option("spilo-role", schema_default=SAME, fallback=True)
    """Label that Patroni keeps on pods with the role (`master`/`replica`); also set on services, endpoints and pooler
    objects.
    """
    cluster_labels: StringMap = option({"application": "spilo"}, schema_default=SAME, fallback=True)
    """Labels put on all objects of a cluster and used in all selectors. They do not change under a cluster of several
    pods.
    """
    inherited_labels: list[str] = option([])
    """Label keys copied from the `postgresql` object to child objects (not used in selectors)."""
    inherited_annotations: list[str] = option([])
    """Annotation keys (exact match) copied from the `postgresql` object to child objects."""
    downscaler_annotations: list[str] = option([])
    """Regular expressions (matching anywhere); annotations of the resource whose keys match are copied to
    StatefulSet, pooler Deployments and streams. An expression that cannot be read is ignored with a notice.
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
    """How node readiness labels join the required terms of a manifest: `OR` adds one more term, `AND` adds to every
    term. Empty: the manifest alone counts.
    """
    custom_pod_annotations: StringMap = option({})
    """Annotations for database, pooler and backup pods; manifest `podAnnotations` override per key."""
    toleration: StringMap = option({})
    """One toleration as keys `key`, `operator`, `value` and `effect`; used when the manifest has no `tolerations`."""
    pod_environment_configmap: NamespacedName = option("")
    """ConfigMap whose entries become environment variables of the database container. Looked for in the given (or the
    operator's) namespace, then in the one of the cluster.
    """
    pod_environment_secret: str = option("")
    """Secret in the namespace of the cluster whose entries become environment variables, by reference. It is waited
    for until `resource_check_timeout`.
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
    """Whether a StatefulSet starts its pods one after another or all at once."""
    persistent_volume_claim_retention_policy: StringMap = option(
        {"when_deleted": "retain", "when_scaled": "retain"}, missing={}
    )
    """Keys `when_deleted` and `when_scaled`, values `retain` or `delete`; anything but `delete` means retain. A cluster
    that is scaled to 0 keeps its volumes in any case."""
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
    """Hold the deletion of a `postgresql` object back with the finalizer `postgres-operator.acid.zalan.do` until its
    child objects are gone. False takes the finalizer away again.
    """
