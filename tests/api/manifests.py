"""Manifests for tests: the one everybody knows, and one in which every field is set."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import yaml

MINIMAL = """
apiVersion: acid.zalan.do/v1
kind: postgresql
metadata:
  name: acid-minimal-cluster
spec:
  teamId: "acid"
  volume:
    size: 1Gi
  numberOfInstances: 2
  users:
    zalando:
    - superuser
    - createdb
    foo_user: []
  databases:
    foo: zalando
  preparedDatabases:
    bar: {}
  postgresql:
    version: "18"
"""

FULL = """
apiVersion: acid.zalan.do/v1
kind: postgresql
metadata:
  name: acid-full
  namespace: databases
  labels: {environment: demo}
  annotations: {acid.zalan.do/controller: second-operator}
spec:
  teamId: acid
  numberOfInstances: 3
  dockerImage: registry.example.com/spilo:1
  postgresql:
    version: "17"
    parameters: {shared_buffers: 32MB, max_connections: "10", log_statement: all}
  volume:
    size: 10Gi
    storageClass: fast
    subPath: $(POD_NAME)
    isSubPathExpr: true
    iops: 3000
    throughput: 250
    type: gp3
    selector:
      matchExpressions: [{key: flavour, operator: In, values: [banana]}]
      matchLabels: {size: large}
  patroni:
    failsafe_mode: true
    initdb: {encoding: UTF8, data-checksums: "true"}
    pg_hba: ["hostssl all all 0.0.0.0/0 scram-sha-256"]
    slots: {permanent: {type: physical}, logical: {type: logical, database: foo, plugin: pgoutput}}
    ttl: 30
    loop_wait: 10
    retry_timeout: 10
    synchronous_mode: true
    synchronous_mode_strict: false
    synchronous_node_count: 1
    maximum_lag_on_failover: 33554432
  resources:
    requests: {cpu: 10m, memory: 100Mi, hugepages-2Mi: 128Mi, hugepages-1Gi: 1Gi}
    limits: {cpu: 500m, memory: 500Mi, hugepages-2Mi: 128Mi, hugepages-1Gi: 1Gi}
  users:
    zalando: [superuser, createdb]
    foo_user: [NOLOGIN]
    other.app: []
  usersWithSecretRotation: [foo_user]
  usersWithInPlaceSecretRotation: [zalando]
  usersIgnoringSecretRotation: [bar_owner_user]
  databases: {foo: zalando}
  preparedDatabases:
    bar:
      defaultUsers: true
      extensions: {pg_partman: public}
      schemas: {data: {}, history: {defaultRoles: true, defaultUsers: false}}
      secretNamespace: appspace
  enableConnectionPooler: true
  enableReplicaConnectionPooler: true
  connectionPooler:
    numberOfInstances: 2
    mode: transaction
    schema: pooler
    user: pooler
    dockerImage: registry.example.com/pgbouncer:1
    maxDBConnections: 60
    resources: {requests: {cpu: 300m, memory: 100Mi}, limits: {cpu: "1", memory: 100Mi}}
  enableMasterLoadBalancer: false
  enableReplicaLoadBalancer: false
  enableMasterPoolerLoadBalancer: false
  enableReplicaPoolerLoadBalancer: false
  enableMasterNodePort: true
  enableReplicaNodePort: true
  enableMasterPoolerNodePort: true
  enableReplicaPoolerNodePort: true
  masterNodePort: 30001
  replicaNodePort: 30002
  masterPoolerNodePort: 30003
  replicaPoolerNodePort: 30004
  allowedSourceRanges: [127.0.0.1/32, "2001:db8::/32"]
  serviceAnnotations: {a: b}
  masterServiceAnnotations: {c: d}
  replicaServiceAnnotations: {e: f}
  clone:
    cluster: acid-old
    uid: efd12e58-5786-11e8-b5a7-06148230260c
    timestamp: "2026-12-19T12:40:33+01:00"
    s3_wal_path: s3://bucket/path
    s3_endpoint: https://s3.example.com
    s3_access_key_id: 0123456789abcdef0123456789abcdef
    s3_secret_access_key: 0123456789abcdef0123456789abcdef
    s3_force_path_style: true
  tls: {secretName: cert, certificateFile: tls.crt, privateKeyFile: tls.key, caFile: ca.crt, caSecretName: ca}
  additionalVolumes:
  - name: empty
    mountPath: /opt/empty
    subPath: sub
    isSubPathExpr: false
    targetContainers: [all]
    volumeSource: {emptyDir: {}}
  - name: data
    mountPath: /home/postgres/data
    volumeSource: {PersistentVolumeClaim: {claimName: claim, readyOnly: false}}
  sidecars:
  - name: telegraf
    image: telegraf:latest
    command: [telegraf]
    ports: [{name: metrics, containerPort: 8094, protocol: TCP}]
    resources: {requests: {cpu: 500m, memory: 500Mi}, limits: {cpu: 500m, memory: 500Mi}}
    env: [{name: ME, value: you}]
  initContainers:
  - name: date
    image: busybox
    command: [/bin/date]
    env: [{name: X, valueFrom: {secretKeyRef: {name: s, key: k}}}]
  env: [{name: WAL_S3_BUCKET, value: bucket}, {name: F, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  envFrom: [{prefix: P_, configMapRef: {name: c, optional: true}}]
  podAnnotations: {h: i}
  podPriorityClassName: high
  schedulerName: other
  tolerations: [{key: postgres, operator: Exists, effect: NoSchedule, tolerationSeconds: 60}]
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a]}]}]
  topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]
  livenessProbe: {httpGet: {path: /health, port: 8008, scheme: HTTP}, periodSeconds: 10}
  enableShmVolume: true
  spiloRunAsUser: 101
  podSecurityRestricted: false
  spiloRunAsGroup: 103
  spiloFSGroup: 103
  maintenanceWindows: ["01:00-06:00", "Sat:00:00-04:00"]
  enableLogicalBackup: true
  logicalBackupRetention: 3 days
  logicalBackupSchedule: 30 00 * * *
  streams:
  - applicationId: app
    database: foo
    batchSize: 100
    cpu: 100m
    memory: 200Mi
    enableRecovery: true
    filter: {data.orders: "[?(@.id > 1)]"}
    tables:
      data.orders:
        eventType: order
        idColumn: id
        payloadColumn: body
        ignoreRecovery: false
        recoveryEventType: order-dlq
"""


@cache
def _loaded(text: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def minimal(**spec: Any) -> dict[str, Any]:
    """The minimal manifest, with some keys of its spec set (or removed, where the value is ``...``)."""
    document = copy.deepcopy(_loaded(MINIMAL))
    document["spec"] = {key: one for key, one in {**document["spec"], **spec}.items() if one is not ...}
    return document


def full() -> dict[str, Any]:
    """Every field of the API but `standby`, which excludes `clone` in practice, and the removed spellings."""
    return copy.deepcopy(_loaded(FULL))
