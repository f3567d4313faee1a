"""What a field of ``postgresql`` means when it is absent.

Either an option of the operator configuration decides (:data:`OPTIONS`), or there is a fixed meaning
(:data:`MEANINGS`); a field in neither list is then simply off, empty or left to Kubernetes. Paths carry no list marks.
"""

from __future__ import annotations

from collections.abc import Mapping

_RESOURCE_SIDES = {"requests": "request", "limits": "limit"}


def _resources(path: str, prefix: str) -> dict[str, str]:
    return {
        f"{path}.{side}.{name}": f"{prefix}default_{name}_{word}"
        for side, word in _RESOURCE_SIDES.items()
        for name in ("cpu", "memory")
    }


_POOLER = "connection_pooler.connection_pooler"

OPTIONS: Mapping[str, str] = {
    "spec.connectionPooler.dockerImage": f"{_POOLER}_image",
    "spec.connectionPooler.maxDBConnections": f"{_POOLER}_max_db_connections",
    "spec.connectionPooler.mode": f"{_POOLER}_mode",
    "spec.connectionPooler.numberOfInstances": f"{_POOLER}_number_of_instances",
    "spec.connectionPooler.schema": f"{_POOLER}_schema",
    "spec.connectionPooler.user": f"{_POOLER}_user",
    "spec.dockerImage": "docker_image",
    "spec.enableMasterLoadBalancer": "load_balancer.enable_master_load_balancer",
    "spec.enableMasterNodePort": "load_balancer.enable_master_node_port",
    "spec.enableMasterPoolerLoadBalancer": "load_balancer.enable_master_pooler_load_balancer",
    "spec.enableMasterPoolerNodePort": "load_balancer.enable_master_pooler_node_port",
    "spec.enableReplicaLoadBalancer": "load_balancer.enable_replica_load_balancer",
    "spec.enableReplicaNodePort": "load_balancer.enable_replica_node_port",
    "spec.enableReplicaPoolerLoadBalancer": "load_balancer.enable_replica_pooler_load_balancer",
    "spec.enableReplicaPoolerNodePort": "load_balancer.enable_replica_pooler_node_port",
    "spec.enableShmVolume": "enable_shm_volume",
    "spec.livenessProbe": "kubernetes.liveness_probe",
    "spec.logicalBackupRetention": "logical_backup.logical_backup_s3_retention_time",
    "spec.logicalBackupSchedule": "logical_backup.logical_backup_schedule",
    "spec.maintenanceWindows": "maintenance_windows",
    "spec.patroni.failsafe_mode": "patroni.enable_patroni_failsafe_mode",
    "spec.podPriorityClassName": "kubernetes.pod_priority_class_name",
    "spec.podSecurityRestricted": "kubernetes.pod_security_restricted",
    "spec.spiloFSGroup": "kubernetes.spilo_fsgroup",
    "spec.spiloRunAsGroup": "kubernetes.spilo_runasgroup",
    "spec.spiloRunAsUser": "kubernetes.spilo_runasuser",
    "spec.tolerations": "kubernetes.toleration",
    **_resources("spec.resources", "postgres_pod_resources."),
    **_resources("spec.sidecars.resources", "postgres_pod_resources."),
    **_resources("spec.connectionPooler.resources", f"{_POOLER}_"),
}
"""Field to the option that decides."""

MEANINGS: Mapping[str, str] = {
    "spec.additionalVolumes.targetContainers": "the database container only",
    "spec.allowedSourceRanges": "127.0.0.1/32, so that a load balancer lets nobody in",
    "spec.clone.s3_wal_path": "derived from wal_s3_bucket, wal_gs_bucket or wal_az_storage_account",
    "spec.enableConnectionPooler": "a pooler runs if connectionPooler is there",
    "spec.masterNodePort": "Kubernetes chooses",
    "spec.masterPoolerNodePort": "Kubernetes chooses",
    "spec.patroni.initdb": "auth-host: scram-sha-256 and auth-local: trust",
    "spec.patroni.loop_wait": "the image's default, 10 seconds",
    "spec.patroni.maximum_lag_on_failover": "the image's default, 33554432 bytes",
    "spec.patroni.pg_hba": "the image's default lines",
    "spec.patroni.retry_timeout": "the image's default, 10 seconds",
    "spec.patroni.synchronous_node_count": "Patroni's default, 1",
    "spec.patroni.ttl": "the image's default, 30 seconds",
    "spec.preparedDatabases": "off; an empty mapping means one database named like the cluster",
    "spec.preparedDatabases.schemas": "one schema `data` with default roles",
    "spec.preparedDatabases.schemas.defaultRoles": "true",
    "spec.preparedDatabases.secretNamespace": "the cluster's namespace",
    "spec.replicaNodePort": "Kubernetes chooses",
    "spec.replicaPoolerNodePort": "Kubernetes chooses",
    "spec.schedulerName": "Kubernetes' default scheduler",
    "spec.sidecars.command": "the image's entry point",
    "spec.sidecars.name": "sidecar-<index>",
    "spec.standby.standby_port": "Patroni's default, 5432",
    "spec.streams.batchSize": "the consumer's default, 1",
    "spec.streams.tables.idColumn": "the consumer's default, id",
    "spec.streams.tables.payloadColumn": "the consumer's default, payload",
    "spec.streams.tables.recoveryEventType": "<eventType>-dead-letter-queue when recovery is on",
    "spec.tls.certificateFile": "tls.crt",
    "spec.tls.privateKeyFile": "tls.key",
    "spec.volume.storageClass": "the default storage class of the Kubernetes cluster",
}
"""Field to what absence means."""
