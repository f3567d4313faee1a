"""What a change of a field or option costs the database (lifecycle.md 3.6, 3.7; objects.md 14.1 to 14.6).

The table says what the operator does, for the longest prefix that matches; what is not listed touches no pod.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Cost(Enum):
    """Ordered by how much a client notices."""

    NOTHING = "nothing: no pod is touched"
    NEW_CLUSTERS = "nothing: counts only when a cluster is created"
    RELOAD = "reload: the servers read it again, connections stay"
    POOLER = "rolling update of the pooler pods; connections through the pooler are cut one pod at a time"
    RELOAD_OR_RESTART = "reload, or a restart of the servers where PostgreSQL needs one for the parameter"
    ROLLING_UPDATE = "rolling update: replicas one by one, a switchover, then the former primary"
    UPGRADE = "rolling update and major version upgrade, which stops writes while it runs"


_ROLL = Cost.ROLLING_UPDATE

FIELD_COSTS: Mapping[str, Cost] = {
    "spec.additionalVolumes": _ROLL,
    "spec.clone": _ROLL,
    "spec.connectionPooler": Cost.POOLER,
    "spec.connectionPooler.numberOfInstances": Cost.NOTHING,
    "spec.dockerImage": _ROLL,
    "spec.enableShmVolume": _ROLL,
    "spec.env": _ROLL,
    "spec.envFrom": _ROLL,
    "spec.init_containers": _ROLL,
    "spec.initContainers": _ROLL,
    "spec.livenessProbe": _ROLL,
    "spec.nodeAffinity": _ROLL,
    "spec.patroni": Cost.RELOAD,
    "spec.patroni.initdb": _ROLL,
    "spec.patroni.pg_hba": Cost.RELOAD,
    "spec.podPriorityClassName": _ROLL,
    "spec.pod_priority_class_name": _ROLL,
    "spec.podSecurityRestricted": _ROLL,
    "spec.postgresql.parameters": Cost.RELOAD_OR_RESTART,
    "spec.postgresql.version": Cost.UPGRADE,
    "spec.resources": _ROLL,
    "spec.schedulerName": _ROLL,
    "spec.sidecars": _ROLL,
    "spec.spiloFSGroup": _ROLL,
    "spec.spiloRunAsGroup": _ROLL,
    "spec.spiloRunAsUser": _ROLL,
    "spec.standby": _ROLL,
    "spec.streams": Cost.RELOAD_OR_RESTART,
    "spec.tls": _ROLL,
    "spec.tolerations": _ROLL,
    "spec.topologySpreadConstraints": _ROLL,
    "spec.volume.isSubPathExpr": _ROLL,
    "spec.volume.subPath": _ROLL,
}
"""Fields of ``postgresql``."""

OPTION_COSTS: Mapping[str, Cost] = {
    "aws_or_gcp.additional_secret_mount": _ROLL,
    "aws_or_gcp.additional_secret_mount_path": _ROLL,
    "aws_or_gcp.gcp_credentials": _ROLL,
    "aws_or_gcp.irsa_role_arn": _ROLL,
    "aws_or_gcp.log_s3_bucket": _ROLL,
    "aws_or_gcp.wal_az_storage_account": _ROLL,
    "aws_or_gcp.wal_gs_bucket": _ROLL,
    "aws_or_gcp.wal_s3_bucket": _ROLL,
    "connection_pooler": Cost.POOLER,
    "connection_pooler.connection_pooler_number_of_instances": Cost.NOTHING,
    "docker_image": _ROLL,
    "enable_pgversion_env_var": _ROLL,
    "enable_shm_volume": _ROLL,
    "enable_spilo_wal_path_compat": _ROLL,
    "etcd_host": _ROLL,
    "ignore_resources_limits_annotation_key": _ROLL,
    "kubernetes.additional_pod_capabilities": _ROLL,
    "kubernetes.cluster_labels": _ROLL,
    "kubernetes.cluster_name_label": _ROLL,
    "kubernetes.enable_pod_antiaffinity": _ROLL,
    "kubernetes.enable_pod_disruption_budget": _ROLL,
    "kubernetes.enable_readiness_probe": _ROLL,
    "kubernetes.inherited_labels": _ROLL,
    "kubernetes.liveness_probe": _ROLL,
    "kubernetes.node_readiness_label": _ROLL,
    "kubernetes.node_readiness_label_merge": _ROLL,
    "kubernetes.pod_antiaffinity_preferred_during_scheduling": _ROLL,
    "kubernetes.pod_antiaffinity_topology_key": _ROLL,
    "kubernetes.pod_environment_configmap": _ROLL,
    "kubernetes.pod_environment_secret": _ROLL,
    "kubernetes.pod_priority_class_name": _ROLL,
    "kubernetes.pod_role_label": _ROLL,
    "kubernetes.pod_security_restricted": _ROLL,
    "kubernetes.pod_service_account_name": _ROLL,
    "kubernetes.pod_terminate_grace_period": _ROLL,
    "kubernetes.secret_name_template": _ROLL,
    "kubernetes.share_pgsocket_with_sidecars": _ROLL,
    "kubernetes.spilo_allow_privilege_escalation": _ROLL,
    "kubernetes.spilo_fsgroup": _ROLL,
    "kubernetes.spilo_privileged": _ROLL,
    "kubernetes.spilo_runasgroup": _ROLL,
    "kubernetes.spilo_runasuser": _ROLL,
    "kubernetes.toleration": _ROLL,
    "kubernetes_use_configmaps": _ROLL,
    "major_version_upgrade.major_version_upgrade_mode": Cost.UPGRADE,
    "major_version_upgrade.minimal_major_version": Cost.UPGRADE,
    "major_version_upgrade.target_major_version": Cost.UPGRADE,
    "patroni.enable_patroni_failsafe_mode": Cost.RELOAD,
    "postgres_pod_resources": _ROLL,
    "scalyr": _ROLL,
    "set_memory_request_to_limit": _ROLL,
    "sidecar_docker_images": _ROLL,
    "sidecars": _ROLL,
    "teams_api.pam_configuration": _ROLL,
    "teams_api.pam_role_name": _ROLL,
    "users.replication_username": _ROLL,
    "users.super_username": _ROLL,
}
"""Options of the operator; each concerns the clusters that do not set the value themselves."""


def cost_of(path: str, table: Mapping[str, Cost]) -> Cost:
    """The cost of changing a path without list marks (``spec.sidecars.image``)."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        if found := table.get(".".join(parts[:length])):
            return found
    return Cost.NOTHING
