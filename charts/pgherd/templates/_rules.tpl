{{/*
Rights of the operator, each one used by the code: a kind that is applied needs create, get and patch, one that is
followed needs list and watch. In the namespaces of the clusters:
*/}}
{{- define "pgherd.rules.clusters" -}}
{{- $config := include "pgherd.configuration" . | fromYaml -}}
- apiGroups: [acid.zalan.do]
  resources: [postgresqls]
  verbs: [get, list, watch, patch]
- apiGroups: [acid.zalan.do]
  resources: [postgresqls/status]
  verbs: [patch]
{{- if ($config.kubernetes).enable_owner_references }}
# Where the admission plugin OwnerReferencesPermissionEnforcement is on, owner references that block a deletion need it.
- apiGroups: [acid.zalan.do]
  resources: [postgresqls/finalizers]
  verbs: [update]
{{- end }}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch, delete]
# psql in the primary's pod, where the superuser cannot log in any more because its Secret was lost or changed. A
# WebSocket is a get; Kubernetes 1.35 and later want create as well.
- apiGroups: [""]
  resources: [pods/exec]
  verbs: [get, create]
- apiGroups: [""]
  resources: [services, secrets]
  verbs: [create, get, list, watch, patch, delete]
# Patroni's own objects: read, and removed after the last pod. ConfigMaps are also read where the configuration names
# one.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, delete]
- apiGroups: [""]
  resources: [endpoints]
{{- if eq (toString (dig "kubernetes_use_configmaps" true $config)) "false" }}
  verbs: [create, get, list, watch, patch, delete]
{{- else }}
  verbs: [list, watch, delete]
{{- end }}
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [list, watch, patch, delete]
- apiGroups: [apps]
  resources: [statefulsets, deployments]
  verbs: [create, get, list, watch, patch, delete]
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [create, get, list, watch, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [create, get, list, watch, patch, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [create, get, patch]
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings]
  verbs: [get]
{{- if .Values.enableStreams }}
- apiGroups: [zalando.org]
  resources: [fabriceventstreams]
  verbs: [create, get, list, watch, patch, delete]
{{- end }}
{{- end -}}

{{/* In all namespaces besides: the pods' account and its binding, made where a first cluster comes. */}}
{{- define "pgherd.rules.everywhere" -}}
# What is being drained: members move away in time.
- apiGroups: [""]
  resources: [nodes]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [create]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings]
  verbs: [create]
# To bind this one role, without having the rights in it.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles]
  resourceNames: [{{ include "pgherd.podAccount" . }}]
  verbs: [bind]
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: [postgresqls.acid.zalan.do, operatorconfigurations.acid.zalan.do, postgresteams.acid.zalan.do, fabriceventstreams.zalando.org]
  verbs: [get]
{{- if (include "pgherd.configuration" . | fromYaml).enable_crd_registration }}
# A name that does not exist yet cannot be named here; create is all that is given for others.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [create]
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: [postgresqls.acid.zalan.do, operatorconfigurations.acid.zalan.do, postgresteams.acid.zalan.do]
  verbs: [patch]
{{- end }}
{{- end -}}

{{/* In the operator's own namespace: its Lease, its configuration, and what that names. */}}
{{- define "pgherd.rules.own" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "pgherd.leaseName" . | quote }}]
  verbs: [get, patch]
{{- if eq .Values.configTarget "ConfigMap" }}
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ include "pgherd.configurationName" . }}]
  verbs: [get, list, watch]
{{- else }}
- apiGroups: [acid.zalan.do]
  resources: [operatorconfigurations]
  resourceNames: [{{ include "pgherd.configurationName" . }}]
  verbs: [get, list, watch]
- apiGroups: [acid.zalan.do]
  resources: [operatorconfigurations/status]
  resourceNames: [{{ include "pgherd.configurationName" . }}]
  verbs: [patch]
{{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [create, get, patch]
{{- $kubernetes := (include "pgherd.configuration" . | fromYaml).kubernetes }}
{{- $roles := list }}
{{- with $kubernetes.infrastructure_roles_secret_name }}{{ $roles = append $roles (splitList "/" . | last) }}{{ end }}
{{- range $kubernetes.infrastructure_roles_secrets }}{{ with .secretname }}{{ $roles = append $roles (splitList "/" . | last) }}{{ end }}{{ end }}
{{- with uniq $roles }}
# Of infrastructure roles.
- apiGroups: [""]
  resources: [secrets, configmaps]
  resourceNames: {{ toJson . }}
  verbs: [get]
{{- end }}
{{- with $kubernetes.pod_environment_configmap }}
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ splitList "/" . | last }}]
  verbs: [get]
{{- end }}
{{- end -}}

{{/*
Rights of the database pods: Patroni's. Those for ConfigMaps and those for Endpoints, whatever the configuration says:
clusters that run keep to what they began with until their pods are replaced, and a primary without its rights steps
down.
*/}}
{{- define "pgherd.rules.pods" -}}
- apiGroups: [""]
  resources: [configmaps, endpoints]
  verbs: [create, delete, deletecollection, get, list, patch, update, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, patch, update, watch]
- apiGroups: [""]
  resources: [services]
  verbs: [create]
{{- end -}}
