"""One variation for each field and option that changes an object, and for each pair that meets.

A variation is (fields of the spec, options by leaf key, facts). What it changes, compared with the same cluster
without it, is a golden file of its own: see ``test_variations.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pgherd.facts.infrastructure_roles import InfrastructureRole
from pgherd.facts.secret import Secret

_NODE_AFFINITY = {
    "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [
            {
                "matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}],
                "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}],
            }
        ]
    }
}
_READY = {"node_readiness_label": {"status": "ready", "pool": "db"}}
_TOLERATION = {"key": "dedicated", "operator": "Equal", "value": "db", "effect": "NoSchedule"}
_PROBE = {"tcpSocket": {"port": 5432}, "periodSeconds": 20}
_SPREAD = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
_TLS = {"secretName": "demo-tls"}
_PITR = {"cluster": "old", "uid": "efd12e58-5786-11e8-b5a7-06148230260c", "timestamp": "2025-03-01T10:00:00+00:00"}
_POOLERS = {"enableConnectionPooler": True, "enableReplicaConnectionPooler": True}
_STREAM = {"applicationId": "my-app", "database": "shop", "tables": {"orders": {"eventType": "order-event"}}}
_BALANCED = {"allowedSourceRanges": ["10.0.0.0/8"]}
_ANNOTATED = {"metadata": {"annotations": {"owned-by": "me", "downscaler/uptime": "always", "limits": "true"}}}
_OWNED = {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Thing", "name": "t", "uid": "u-1"}]}}
_IRSA = {"irsa_role_arn": "arn:aws:iam::1:role/pg"}


@dataclass(frozen=True)
class Variation:
    """``base`` is what it is compared with (a spec), for variations of something that is off by default."""

    spec: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    base: Mapping[str, Any] = field(default_factory=dict)


def _options(base: Mapping[str, Any] | None = None, /, **options: Any) -> Variation:
    return Variation(options=options, base=base or {})


def _with_password(text: str) -> InfrastructureRole:
    return InfrastructureRole(password=Secret(text))


def _spec(base: Mapping[str, Any] | None = None, /, **spec: Any) -> Variation:
    return Variation(spec=spec, base=base or {})


_BACKUP = {"enableLogicalBackup": True}
_SIDECAR = {"sidecars": [{"name": "exporter", "image": "exporter:1"}]}

POD = {
    "docker_image": _options(docker_image="spilo:test"),
    "dockerImage": _spec(dockerImage="spilo:mine"),
    "parameters": _spec(
        postgresql={
            "version": "18",
            "parameters": {"shared_buffers": "1GB", "max_connections": "100", "log_line_prefix": "<%m> & 'x'"},
        }
    ),
    "version": _spec(postgresql={"version": "12"}),
    "held_version": Variation(facts={"held_version": "17"}),
    "major_version_upgrade_mode": Variation(
        {"postgresql": {"version": "13"}},
        {"major_version_upgrade_mode": "full", "minimal_major_version": "14", "target_major_version": "17"},
    ),
    "enable_pgversion_env_var": _options(enable_pgversion_env_var=False),
    "enable_pgversion_env_var+held_version": Variation({}, {"enable_pgversion_env_var": False}, {"held_version": "17"}),
    "enable_spilo_wal_path_compat": _options(enable_spilo_wal_path_compat=True),
    "patroni": _spec(
        patroni={
            "ttl": 40,
            "loop_wait": 5,
            "retry_timeout": 5,
            "maximum_lag_on_failover": 16777217,
            "synchronous_mode": True,
            "synchronous_mode_strict": True,
            "synchronous_node_count": 2,
            "failsafe_mode": True,
            "slots": {"b": {"type": "physical"}, "a": {"type": "logical", "plugin": "pgoutput", "database": "x"}},
            "pg_hba": ["local all all trust"],
            "initdb": {"auth-local": "peer", "no-locale": "true", "data-checksums": "false", "encoding": "UTF8"},
        }
    ),
    "patroni_zero": _spec(
        patroni={"ttl": 0, "maximum_lag_on_failover": -1, "synchronous_node_count": 0, "synchronous_mode": False}
    ),
    "enable_patroni_failsafe_mode": _options(enable_patroni_failsafe_mode=True),
    "enable_patroni_failsafe_mode+failsafe_mode": Variation(
        {"patroni": {"failsafe_mode": False}}, {"enable_patroni_failsafe_mode": True}
    ),
    "pam": _options(pam_configuration="pam", pam_role_name="humans"),
    "super_username": _options(super_username="root_user", replication_username="repl"),
    "etcd_host": _options(etcd_host="etcd:2379"),
    "kubernetes_use_configmaps": _options(kubernetes_use_configmaps=False),
    "env": _spec(
        env=[
            {"name": "scope", "value": "taken"},
            {"name": "MINE", "value": "$(SCOPE)"},
            {"name": "mine", "value": "second"},
            {"name": "EMPTY", "value": ""},
            {"name": "REF", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        envFrom=[{"secretRef": {"name": "more"}}],
    ),
    "pod_environment": Variation(
        {"env": [{"name": "A", "value": "manifest"}]},
        {"pod_environment_secret": "env-secret", "pod_environment_configmap": "ns/env-map", "wal_s3_bucket": "wal"},
        {
            "pod_secret_keys": ["wal_s3_bucket", "a", "B"],
            "pod_configmap": {"B": "loses", "C": "s3://$(SCOPE)/x", "SCOPE": "loses"},
        },
    ),
    "wal_and_logs": _options(
        wal_s3_bucket="s3",
        wal_gs_bucket="gs",
        wal_az_storage_account="az",
        gcp_credentials="/c.json",
        log_s3_bucket="l",
    ),
    "resources": _spec(
        resources={
            "requests": {"cpu": "50m", "memory": "750Mi", "hugepages-2Mi": "128Mi"},
            "limits": {"memory": "300Mi", "hugepages-2Mi": "128Mi", "hugepages-1Gi": "1Gi", "cpu": "0"},
        }
    ),
    "resource_bounds": Variation(
        {"resources": {"requests": {"cpu": "2", "memory": "2Gi"}, "limits": {"cpu": "200m", "memory": "200Mi"}}},
        {"min_cpu_limit": "250m", "min_memory_limit": "250Mi", "max_cpu_request": "500m", "max_memory_request": "1Gi"},
    ),
    "resource_bounds_exempt": Variation(
        {"resources": {"limits": {"cpu": "200m", "memory": "200Mi"}}, **_ANNOTATED},
        {"min_cpu_limit": "250m", "max_memory_request": "1Mi", "ignore_resources_limits_annotation_key": "limits"},
    ),
    "default_resources": _options(
        default_cpu_request="1", default_memory_request="1Gi", default_cpu_limit="0", default_memory_limit=""
    ),
    "set_memory_request_to_limit": _options(set_memory_request_to_limit=True),
    "enable_readiness_probe": _options(enable_readiness_probe=True),
    "liveness_probe": _options(liveness_probe=_PROBE),
    "livenessProbe": Variation({"livenessProbe": {"exec": {"command": ["true"]}}}, {"liveness_probe": _PROBE}),
    "security": _options(
        spilo_allow_privilege_escalation=False,
        spilo_runasuser=101,
        spilo_runasgroup=103,
        spilo_fsgroup=103,
        additional_pod_capabilities=["sys_nice", "NET_ADMIN"],
    ),
    "pod_security_restricted": _options({**_POOLERS, **_BACKUP, **_SIDECAR}, pod_security_restricted=True),
    "pod_security_restricted+others": Variation(
        {
            "spiloRunAsUser": 10001,
            "spiloFSGroup": 5,
            "additionalVolumes": [{"name": "mine", "mountPath": "/tmp", "volumeSource": {"emptyDir": {}}}],
            "initContainers": [
                {
                    "name": "root",
                    "image": "i:1",
                    "securityContext": {"runAsUser": 0, "capabilities": {"add": ["CHOWN"]}},
                }
            ],
        },
        {
            "pod_security_restricted": True,
            "share_pgsocket_with_sidecars": True,
            "spilo_privileged": True,
            "spilo_runasuser": 0,
            "additional_pod_capabilities": ["sys_nice"],
        },
        base=_SIDECAR,
    ),
    "podSecurityRestricted": Variation(
        {"podSecurityRestricted": False, "spiloRunAsUser": 0}, {"pod_security_restricted": True}
    ),
    "podSecurityRestricted+taken_over": Variation({"podSecurityRestricted": True}, facts={"taken_over": True}),
    "pod_security_restricted+taken_over": Variation(
        {}, {"pod_security_restricted": True}, {"taken_over": True}, base=_POOLERS
    ),
    "spilo_privileged": _options(spilo_privileged=True),
    "security_of_manifest": Variation(
        {"spiloRunAsUser": 0, "spiloRunAsGroup": 0, "spiloFSGroup": 5}, {"spilo_runasuser": 101, "spilo_fsgroup": 103}
    ),
    "pod_terminate_grace_period": _options({**_POOLERS, **_BACKUP}, pod_terminate_grace_period="1m30s"),
    "pod_terminate_grace_period_zero": _options(
        pod_terminate_grace_period="0s", pod_service_account_name="other-account"
    ),
    "schedulerName": _spec(schedulerName="mine", podPriorityClassName="high"),
    "pod_priority_class_name": _options(pod_priority_class_name="low"),
    "toleration": _options({**_POOLERS, **_BACKUP}, toleration={**_TOLERATION, "value": ""}),
    "tolerations": Variation(
        {"tolerations": [{"key": "a", "operator": "Exists"}]}, {"toleration": _TOLERATION}, base={**_POOLERS, **_BACKUP}
    ),
    "topologySpreadConstraints": _spec(_BACKUP, topologySpreadConstraints=[_SPREAD]),
    "nodeAffinity": _spec({**_POOLERS, **_BACKUP}, nodeAffinity=_NODE_AFFINITY),
    "node_readiness_label": _options({**_POOLERS, **_BACKUP}, **_READY),
    "node_readiness_label+nodeAffinity=OR": Variation(
        {"nodeAffinity": _NODE_AFFINITY}, {**_READY, "node_readiness_label_merge": "OR"}
    ),
    "node_readiness_label+nodeAffinity=AND": Variation(
        {"nodeAffinity": _NODE_AFFINITY}, {**_READY, "node_readiness_label_merge": "AND"}
    ),
    "node_readiness_label+nodeAffinity=none": Variation(
        {"nodeAffinity": _NODE_AFFINITY}, {**_READY, "node_readiness_label_merge": ""}
    ),
    "enable_pod_antiaffinity": _options(_POOLERS, enable_pod_antiaffinity=True),
    "enable_pod_antiaffinity+preferred+nodeAffinity": Variation(
        {"nodeAffinity": _NODE_AFFINITY},
        {
            "enable_pod_antiaffinity": True,
            "pod_antiaffinity_preferred_during_scheduling": True,
            "pod_antiaffinity_topology_key": "zone",
        },
    ),
    "initContainers": _spec(initContainers=[{"name": "first", "image": "init:1", "command": ["true"]}]),
    "sidecars": _spec(
        sidecars=[
            {"image": "plain:1"},
            {
                "name": "exporter",
                "image": "exporter:1",
                "command": ["run"],
                "ports": [{"name": "metrics", "containerPort": 9187}],
                "env": [{"name": "postgres_user", "value": "loses"}, {"name": "URI", "value": "localhost"}],
                "resources": {"limits": {"cpu": "50m"}},
            },
            {"name": "exporter", "image": "dropped:1"},
        ]
    ),
    "sidecars_global": Variation(
        {"sidecars": [{"name": "both", "image": "manifest:1"}]},
        {
            "sidecars": [
                {"name": "both", "image": "dropped:1"},
                {
                    "name": "full",
                    "image": "full:1",
                    "args": ["x"],
                    "volumeMounts": [{"name": "pgdata", "mountPath": "/o"}],
                },
            ],
            "sidecar_docker_images": {"b": "b:1", "a": "a:1", "both": "dropped:2"},
            "scalyr_api_key": "key",
            "scalyr_image": "scalyr:1",
        },
    ),
    "scalyr_resources": _options(
        scalyr_api_key="key",
        scalyr_image="scalyr:1",
        scalyr_server_url="",
        scalyr_cpu_request="1m",
        scalyr_memory_request="1Mi",
        scalyr_cpu_limit="2m",
        scalyr_memory_limit="2Mi",
    ),
    "enable_sidecars": Variation(
        {"sidecars": [{"name": "s", "image": "s:1"}], "initContainers": [{"name": "i", "image": "i:1"}]},
        {"enable_sidecars": False, "enable_init_containers": False},
        {"statefulset_exists": True},
    ),
}

VOLUMES = {
    "volume": _spec(
        volume={
            "size": "1024Mi",
            "storageClass": "fast",
            "subPath": "data",
            "selector": {"matchLabels": {"disk": "a"}},
        }
    ),
    "subPathExpr": _spec(_SIDECAR, volume={"size": "5Gi", "subPath": "$(POD_NAME)", "isSubPathExpr": True}),
    "enable_shm_volume": _options(enable_shm_volume=False),
    "enableShmVolume=true": Variation({"enableShmVolume": True}, {"enable_shm_volume": False}),
    "share_pgsocket_with_sidecars": _options(_SIDECAR, share_pgsocket_with_sidecars=True),
    "additional_secret_mount": _options(
        {**_SIDECAR, **_BACKUP}, additional_secret_mount="aws", additional_secret_mount_path="/etc/aws"
    ),
    "additionalVolumes": _spec(
        _SIDECAR,
        additionalVolumes=[
            {"name": "one", "mountPath": "/one", "volumeSource": {"emptyDir": {}}},
            {
                "name": "claim",
                "mountPath": "/claim",
                "subPath": "x",
                "targetContainers": ["exporter", "nobody"],
                "volumeSource": {"PersistentVolumeClaim": {"claimName": "pvc", "unknown": 1}},
            },
            {
                "name": "everywhere",
                "mountPath": "/all",
                "subPath": "$(POD_NAME)",
                "isSubPathExpr": True,
                "targetContainers": ["all", "postgres"],
                "volumeSource": {"configMap": {"name": "cm"}},
            },
            {"name": "again", "mountPath": "/one", "targetContainers": ["exporter"], "volumeSource": {"emptyDir": {}}},
            {"name": "data", "mountPath": "/home/postgres/pgdata", "volumeSource": {"emptyDir": {}}},
        ],
    ),
    "tls": _spec(_POOLERS, tls=_TLS),
    "tls+caFile": _spec(_POOLERS, tls={**_TLS, "caFile": "ca.crt"}),
    "tls+caSecretName": _spec(
        _POOLERS,
        tls={
            **_TLS,
            "caFile": "ca.crt",
            "caSecretName": "demo-ca",
            "certificateFile": "a/../cert.pem",
            "privateKeyFile": "/abs/key.pem",
        },
    ),
    "persistent_volume_claim_retention_policy": _options(
        persistent_volume_claim_retention_policy={"when_deleted": "delete", "when_scaled": "delete"}
    ),
    "pod_management_policy": _options(pod_management_policy="parallel"),
}

SOURCES = {
    "clone": _spec(clone={"cluster": "old"}),
    "clone+irsa": Variation({"clone": {"cluster": "old"}}, _IRSA),
    "clone+timestamp+s3": Variation({"clone": _PITR}, {"wal_s3_bucket": "bucket", "wal_gs_bucket": "gs"}),
    "clone+timestamp+gs": Variation({"clone": _PITR}, {"wal_gs_bucket": "gs", "gcp_credentials": "/c.json"}),
    "clone+timestamp+az": Variation(
        {"clone": {**_PITR, "uid": "00000000-0000-0000-0000-000000000000"}}, {"wal_az_storage_account": "az"}
    ),
    "clone+timestamp+s3_wal_path": Variation(
        {
            "clone": {
                **_PITR,
                "s3_wal_path": "s3://b/$(SCOPE)",
                "s3_endpoint": "https://s3",
                "s3_access_key_id": "id",
                "s3_secret_access_key": "key",
                "s3_force_path_style": False,
            }
        },
        {"wal_s3_bucket": "bucket", **_IRSA},
    ),
    "clone+env": _spec(
        clone={"cluster": "old"}, env=[{"name": "CLONE_HOST", "value": "other"}, {"name": "B", "value": "1"}]
    ),
    "clone_empty": _spec(clone={"cluster": ""}, postgresql={"version": "17"}),
    "standby_host": _spec(
        numberOfInstances=1,
        standby={"standby_host": "far", "standby_port": "5433", "standby_primary_slot_name": "slot"},
    ),
    "standby+gs+irsa": Variation({"standby": {"gs_wal_path": "gs://b/x", "standby_port": "1"}}, _IRSA),
    "standby+min_instances": Variation(
        {"standby": {"standby_host": "far"}, "numberOfInstances": 1}, {"min_instances": 3}
    ),
    "min_instances": _options(min_instances=3),
    "max_instances": _options(max_instances=1),
    "max_instances=0": _options(max_instances=0),
    "max_instances_exempt": Variation(
        {**_ANNOTATED, "numberOfInstances": 5}, {"max_instances": 1, "ignore_instance_limits_annotation_key": "limits"}
    ),
    "min_and_max_contradict": _options(min_instances=4, max_instances=1),
}

METADATA = {
    "cluster_labels": _options(_POOLERS, cluster_labels={"z": "1", "a": "2"}),
    "cluster_name_label": _options(_POOLERS, cluster_name_label="name", pod_role_label="role"),
    "teamId_empty": _spec(teamId=""),
    "inherited_labels": Variation(
        {"metadata": {"labels": {"env": "prod", "not": "this", "team": "other"}}},
        {"inherited_labels": ["env", "team", "absent"]},
        base={**_POOLERS, **_BACKUP},
    ),
    "inherited_annotations": Variation(
        _ANNOTATED, {"inherited_annotations": ["owned-by", "absent"]}, base={**_POOLERS, **_BACKUP}
    ),
    "downscaler_annotations": Variation(
        _ANNOTATED,
        {"downscaler_annotations": ["scaler/", "(broken"], "inherited_annotations": ["owned-by"]},
        base={**_POOLERS, **_BACKUP},
    ),
    "custom_pod_annotations": _options({**_POOLERS, **_BACKUP}, custom_pod_annotations={"a": "1", "b": "2"}),
    "podAnnotations": Variation(
        {"podAnnotations": {"b": "mine"}, **_ANNOTATED},
        {
            "custom_pod_annotations": {"a": "1", "b": "2", "owned-by": "nobody"},
            "inherited_annotations": ["owned-by"],
            "kube_iam_role": "iam",
        },
        base={**_POOLERS, **_BACKUP},
    ),
    "kube_iam_role": _options({**_POOLERS, **_BACKUP}, kube_iam_role="iam"),
    "enable_owner_references": _options({**_POOLERS, **_BACKUP}, enable_owner_references=True),
    "ownerReferences": _spec(**_OWNED),
    "ownerReferences+enable_owner_references": Variation(_OWNED, {"enable_owner_references": True}),
}

SERVICES = {
    "enableMasterLoadBalancer": _spec(enableMasterLoadBalancer=True, **_BALANCED),
    "enableReplicaLoadBalancer": _spec(enableReplicaLoadBalancer=True),
    "enableMasterPoolerLoadBalancer": _spec(_POOLERS, enableMasterPoolerLoadBalancer=True),
    "load_balancers": _options(
        {**_POOLERS, **_BALANCED},
        enable_master_load_balancer=True,
        enable_replica_load_balancer=True,
        enable_master_pooler_load_balancer=True,
        enable_replica_pooler_load_balancer=True,
        external_traffic_policy="Local",
    ),
    "load_balancers_off_in_manifest": Variation(
        {"enableMasterLoadBalancer": False, "enableReplicaPoolerLoadBalancer": True, **_POOLERS},
        {"enable_master_load_balancer": True, "enable_replica_load_balancer": True},
        base=_POOLERS,
    ),
    "node_ports": _options(
        {**_POOLERS, "masterNodePort": 30001},
        enable_master_node_port=True,
        enable_replica_node_port=True,
        enable_master_pooler_node_port=True,
        enable_replica_pooler_node_port=True,
        enable_master_load_balancer=True,
    ),
    "node_ports_of_manifest": _spec(
        _POOLERS,
        enableMasterNodePort=True,
        masterNodePort=30001,
        enableReplicaNodePort=True,
        replicaNodePort=30002,
        enableMasterPoolerNodePort=True,
        masterPoolerNodePort=30003,
        enableReplicaPoolerNodePort=True,
        replicaPoolerNodePort=30004,
        enableMasterLoadBalancer=True,
        **_BALANCED,
    ),
    "dns": Variation(
        {"teamId": "ACID", "enableMasterLoadBalancer": True, "enableReplicaLoadBalancer": True},
        {
            "db_hosted_zone": "Zone.Example",
            "master_dns_name_format": "{cluster}-m.{namespace}.{team}.{hostedzone}.{unknown}",
            "replica_dns_name_format": "r.{cluster}.{hostedzone}",
            "master_legacy_dns_name_format": "{cluster}.{team}.{hostedzone}",
            "replica_legacy_dns_name_format": "{cluster}-old.{team}.{namespace}",
        },
    ),
    "dns_empty": Variation({"enableMasterLoadBalancer": True}, {"master_dns_name_format": ""}),
    "service_annotations": Variation(
        {
            "serviceAnnotations": {"a": "2", "b": "2", "c": "2"},
            "masterServiceAnnotations": {"b": "3", "external-dns.alpha.kubernetes.io/hostname": "mine"},
            "replicaServiceAnnotations": {"c": "3"},
            "enableMasterLoadBalancer": True,
            "metadata": {"annotations": {"a": "4"}},
            **_POOLERS,
        },
        {"custom_service_annotations": {"a": "1", "d": "1"}, "inherited_annotations": ["a"]},
        base=_POOLERS,
    ),
}

BUDGETS = {
    "pdb_name_format": _options(pdb_name_format="pdb-{cluster}-{other}"),
    "enable_pod_disruption_budget": _options(enable_pod_disruption_budget=False),
    "numberOfInstances=0": _spec(numberOfInstances=0),
    "pdb_master_label_selector": _options(pdb_master_label_selector=False),
    "pdb_master_label_selector+strict": Variation(
        {"patroni": {"synchronous_mode_strict": True, "synchronous_node_count": 2}},
        {"pdb_master_label_selector": False},
    ),
    "pdb_master_label_selector+strict_without_count": Variation(
        {"patroni": {"synchronous_mode_strict": True}}, {"pdb_master_label_selector": False}
    ),
    "pdb_label_selector+strict": _spec(patroni={"synchronous_mode_strict": True, "synchronous_node_count": 2}),
}

SECRETS = {
    "users": _spec(
        users={
            "foo_user": [],
            "foo-user": [],
            "app.writer": ["createdb"],
            "group": ["nologin"],
            "admin": [],
            "standby": [],
        }
    ),
    "users+enable_cross_namespace_secret": Variation(
        {
            "users": {"app.writer.x": [], "plain": []},
            "preparedDatabases": {"d": {"defaultUsers": True, "secretNamespace": "s"}},
        },
        {"enable_cross_namespace_secret": True, "enable_owner_references": True},
    ),
    "protected_role_names": Variation({"users": {"root": [], "ok": []}}, {"protected_role_names": ["root"]}),
    "preparedDatabases": _spec(
        preparedDatabases={
            "db": {
                "defaultUsers": True,
                "secretNamespace": "ignored",
                "schemas": {
                    "s1": {"defaultUsers": True},
                    "s2": {"defaultUsers": True, "defaultRoles": False},
                    "s3": {},
                },
            }
        },
        users={"db_owner_user": []},
    ),
    "secret_name_template": _options(
        {"clone": {"cluster": "old"}, **_POOLERS}, secret_name_template="{cluster}.{username}-{tprkind}-{namespace}"
    ),
    "infrastructure_roles": Variation(
        facts={"infrastructure_roles": {"b_role": _with_password('p"1'), "a_role": _with_password("p2")}}, base=_POOLERS
    ),
}

POOLER = {
    "enableConnectionPooler": _spec(enableConnectionPooler=True),
    "enableReplicaConnectionPooler": _spec(enableReplicaConnectionPooler=True),
    "connectionPooler": _spec(
        connectionPooler={
            "numberOfInstances": 1,
            "dockerImage": "bouncer:mine",
            "maxDBConnections": 7,
            "mode": "session",
            "schema": "lookup",
            "user": "bouncer",
            "resources": {"requests": {"cpu": "1m"}, "limits": {"memory": "1Gi"}},
        }
    ),
    "connectionPooler_off": _spec(
        connectionPooler={"numberOfInstances": 1}, enableConnectionPooler=False, users={"u": []}
    ),
    "connectionPooler_reserved_user": _spec(_POOLERS, connectionPooler={"user": "postgres"}),
    "connection_pooler_options": _options(
        _POOLERS,
        connection_pooler_number_of_instances=4,
        connection_pooler_user="bouncer",
        connection_pooler_schema="lookup",
        connection_pooler_image="bouncer:1",
        connection_pooler_mode="session",
        connection_pooler_max_db_connections=50,
        connection_pooler_default_cpu_request="1m",
        connection_pooler_default_memory_request="1Mi",
        connection_pooler_default_cpu_limit="2m",
        connection_pooler_default_memory_limit="2Mi",
    ),
    "connection_pooler+spilo_fsgroup": _options(_POOLERS, spilo_fsgroup=103),
}

BACKUP = {
    "enableLogicalBackup": _spec(enableLogicalBackup=True),
    "logicalBackup_of_manifest": _spec(_BACKUP, logicalBackupSchedule="1 2 * * *", logicalBackupRetention="3 days"),
    "logical_backup_s3": _options(
        _BACKUP,
        logical_backup_schedule="5 5 * * *",
        logical_backup_docker_image="dump:1",
        logical_backup_job_prefix="dump-of-a-database-with-a-name-that-is-too-long--",
        logical_backup_s3_bucket="bucket",
        logical_backup_s3_bucket_prefix="prefix",
        logical_backup_s3_region="region",
        logical_backup_s3_endpoint="https://s3",
        logical_backup_s3_sse="AES256",
        logical_backup_s3_retention_time="1 week",
        logical_backup_s3_access_key_id="id",
        logical_backup_s3_secret_access_key="key",
        logical_backup_cpu_request="1m",
        logical_backup_memory_request="1Mi",
        logical_backup_cpu_limit="2m",
        logical_backup_memory_limit="2Mi",
        logical_backup_successful_jobs_history_limit=0,
        logical_backup_failed_jobs_history_limit=1,
        logical_backup_ttl_seconds_after_finished=0,
    ),
    "logical_backup_gcs": _options(
        _BACKUP, logical_backup_provider="gcs", logical_backup_google_application_credentials="/c.json"
    ),
    "logical_backup_az": _options(
        _BACKUP,
        logical_backup_provider="az",
        logical_backup_azure_storage_account_name="account",
        logical_backup_azure_storage_container="container",
        logical_backup_azure_storage_account_key="key",
    ),
    "logical_backup_environment_secret": Variation(
        {},
        {"logical_backup_cronjob_environment_secret": "dump-env"},
        {"backup_secret_keys": ["B", "PGPORT", "A"]},
        _BACKUP,
    ),
    "logical_backup+security": _options(_BACKUP, spilo_runasuser=101, additional_pod_capabilities=["sys_nice"]),
}

STREAMS = {
    "streams": Variation({"streams": [_STREAM]}, facts={"event_streams_installed": True}),
    "streams_not_installed": _spec(streams=[_STREAM]),
    "streams_full": Variation(
        {
            "streams": [
                {
                    **_STREAM,
                    "batchSize": 10,
                    "cpu": "100m",
                    "memory": "1Gi",
                    "enableRecovery": True,
                    "filter": {"data.orders": "[?(@.x > 1)]"},
                    "tables": {
                        "data.orders": {
                            "eventType": "e1",
                            "idColumn": "i",
                            "payloadColumn": "p",
                            "recoveryEventType": "r",
                        },
                        "plain": {"eventType": "e2", "ignoreRecovery": True},
                        "default": {"eventType": "e3"},
                    },
                },
                {**_STREAM, "database": "other", "cpu": "1", "memory": "512Mi", "enableRecovery": False},
                {**_STREAM, "applicationId": "second"},
            ],
            **_ANNOTATED,
        },
        {"inherited_annotations": ["owned-by"], "downscaler_annotations": ["scaler"]},
        {"event_streams_installed": True, "stream_names": {"second": "acid-demo-abc12"}},
    ),
}

VARIATIONS: dict[str, Variation] = {
    **POD,
    **VOLUMES,
    **SOURCES,
    **METADATA,
    **SERVICES,
    **BUDGETS,
    **SECRETS,
    **POOLER,
    **BACKUP,
    **STREAMS,
}
