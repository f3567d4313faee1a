"""How server-side apply divides what pgherd writes into fields. Written by ``hack/list_types.py``.

Source: OpenAPI documents of Kubernetes 1.37, Apache-2.0. ``DEFINITIONS``: definition, field, type; a type
is ``"atomic"`` (a map owned as a whole), the name of another definition, ``("set",)``, or ``("map", keys, item)`` with
the keys as pairs of name and default (None: there is none). Fields that are not listed follow the plain rule.
"""

from __future__ import annotations

from typing import Any

DEFINITIONS: dict[str, dict[str, Any]] = {
    "Affinity": {"nodeAffinity": "NodeAffinity"},
    "CSIVolumeSource": {"nodePublishSecretRef": "atomic"},
    "CephFSVolumeSource": {"secretRef": "atomic"},
    "CinderVolumeSource": {"secretRef": "atomic"},
    "Container": {
        "env": ("map", (("name", None),), "EnvVar"),
        "ports": ("map", (("containerPort", None), ("protocol", "TCP")), None),
        "resources": "ResourceRequirements",
        "volumeDevices": ("map", (("devicePath", None),), None),
        "volumeMounts": ("map", (("mountPath", None),), "VolumeMount"),
    },
    "CronJob": {"spec": "CronJobSpec"},
    "CronJobSpec": {"jobTemplate": "JobTemplateSpec"},
    "Deployment": {"spec": "DeploymentSpec"},
    "DeploymentSpec": {"selector": "atomic", "template": "PodTemplateSpec"},
    "EnvVar": {"valueFrom": "EnvVarSource"},
    "EnvVarSource": {
        "configMapKeyRef": "atomic",
        "fieldRef": "atomic",
        "fileKeyRef": "atomic",
        "resourceFieldRef": "atomic",
        "secretKeyRef": "atomic",
    },
    "EphemeralContainer": {
        "env": ("map", (("name", None),), "EnvVar"),
        "ports": ("map", (("containerPort", None), ("protocol", "TCP")), None),
        "resources": "ResourceRequirements",
        "volumeDevices": ("map", (("devicePath", None),), None),
        "volumeMounts": ("map", (("mountPath", None),), "VolumeMount"),
    },
    "EphemeralVolumeSource": {"volumeClaimTemplate": "PersistentVolumeClaimTemplate"},
    "FlexVolumeSource": {"secretRef": "atomic"},
    "ISCSIVolumeSource": {"secretRef": "atomic"},
    "Job": {"spec": "JobSpec"},
    "JobSchedulingConfiguration": {"resourceClaims": ("map", (("name", None),), None)},
    "JobSpec": {"scheduling": "JobSchedulingConfiguration", "selector": "atomic", "template": "PodTemplateSpec"},
    "JobTemplateSpec": {"metadata": "ObjectMeta", "spec": "JobSpec"},
    "NodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": "atomic"},
    "ObjectMeta": {"finalizers": ("set",), "ownerReferences": ("map", (("uid", None),), "atomic")},
    "PersistentVolumeClaim": {"spec": "PersistentVolumeClaimSpec"},
    "PersistentVolumeClaimSpec": {"dataSource": "atomic", "selector": "atomic"},
    "PersistentVolumeClaimTemplate": {"metadata": "ObjectMeta", "spec": "PersistentVolumeClaimSpec"},
    "Pod": {"spec": "PodSpec"},
    "PodDisruptionBudget": {"spec": "PodDisruptionBudgetSpec"},
    "PodDisruptionBudgetSpec": {"selector": "atomic"},
    "PodSpec": {
        "affinity": "Affinity",
        "containers": ("map", (("name", None),), "Container"),
        "ephemeralContainers": ("map", (("name", None),), "EphemeralContainer"),
        "evictionResponders": ("map", (("name", None),), "atomic"),
        "hostAliases": ("map", (("ip", None),), None),
        "imagePullSecrets": ("map", (("name", ""),), "atomic"),
        "initContainers": ("map", (("name", None),), "Container"),
        "nodeSelector": "atomic",
        "resourceClaims": ("map", (("name", None),), None),
        "resources": "ResourceRequirements",
        "schedulingGates": ("map", (("name", None),), None),
        "topologySpreadConstraints": (
            "map",
            (("topologyKey", None), ("whenUnsatisfiable", None)),
            "TopologySpreadConstraint",
        ),
        "volumes": ("map", (("name", None),), "Volume"),
    },
    "PodTemplateSpec": {"metadata": "ObjectMeta", "spec": "PodSpec"},
    "RBDVolumeSource": {"secretRef": "atomic"},
    "ResourceRequirements": {"claims": ("map", (("name", None),), None)},
    "RoleBinding": {"roleRef": "atomic"},
    "ScaleIOVolumeSource": {"secretRef": "atomic"},
    "Service": {"spec": "ServiceSpec"},
    "ServiceAccount": {"secrets": ("map", (("name", None),), "atomic")},
    "ServiceSpec": {"ports": ("map", (("port", None), ("protocol", "TCP")), None), "selector": "atomic"},
    "StatefulSet": {"spec": "StatefulSetSpec"},
    "StatefulSetSpec": {"selector": "atomic", "template": "PodTemplateSpec"},
    "StorageOSVolumeSource": {"secretRef": "atomic"},
    "TopologySpreadConstraint": {"labelSelector": "atomic"},
    "Volume": {
        "cephfs": "CephFSVolumeSource",
        "cinder": "CinderVolumeSource",
        "csi": "CSIVolumeSource",
        "ephemeral": "EphemeralVolumeSource",
        "flexVolume": "FlexVolumeSource",
        "iscsi": "ISCSIVolumeSource",
        "rbd": "RBDVolumeSource",
        "scaleIO": "ScaleIOVolumeSource",
        "storageos": "StorageOSVolumeSource",
    },
    "VolumeMount": {"bindMountOptions": ("set",)},
}

KINDS: dict[tuple[str, str], str] = {
    ("apps/v1", "Deployment"): "Deployment",
    ("apps/v1", "StatefulSet"): "StatefulSet",
    ("batch/v1", "CronJob"): "CronJob",
    ("batch/v1", "Job"): "Job",
    ("policy/v1", "PodDisruptionBudget"): "PodDisruptionBudget",
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): "RoleBinding",
    ("v1", "PersistentVolumeClaim"): "PersistentVolumeClaim",
    ("v1", "Pod"): "Pod",
    ("v1", "Service"): "Service",
    ("v1", "ServiceAccount"): "ServiceAccount",
}
