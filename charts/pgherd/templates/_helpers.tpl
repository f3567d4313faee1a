{{- define "pgherd.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "pgherd.fullname" -}}
{{- $name := include "pgherd.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "pgherd.selector" -}}
app.kubernetes.io/name: {{ include "pgherd.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "pgherd.labels" -}}
{{ include "pgherd.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* For what database pods need: it stays when the release is uninstalled, so its labels must not change with it. */}}
{{- define "pgherd.kept" -}}
helm.sh/resource-policy: keep
{{- end -}}

{{- define "pgherd.serviceAccountName" -}}
{{- default (include "pgherd.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "pgherd.podAccount" -}}
{{- default "postgres-pod" (.Values.configuration.kubernetes).pod_service_account_name -}}
{{- end -}}

{{- define "pgherd.priorityClassName" -}}
{{- default (printf "%s-pod" (include "pgherd.fullname" .)) .Values.podPriorityClass.name -}}
{{- end -}}

{{- define "pgherd.configurationName" -}}
{{- default (include "pgherd.fullname" .) .Values.existingConfiguration -}}
{{- end -}}

{{/* The annotation acid.zalan.do/controller of the clusters that are this release's; empty: those without it. */}}
{{- define "pgherd.controllerID" -}}
{{- if .Values.controllerID.create }}{{ default (include "pgherd.fullname" .) .Values.controllerID.name }}{{ end -}}
{{- end -}}

{{/* As lease_name in src/pgherd/kube/fencing.py: one leader for each controller id. */}}
{{- define "pgherd.leaseName" -}}
{{- $tail := mustRegexReplaceAll "[^a-z0-9.]+" (include "pgherd.controllerID" . | lower) "-" | trimAll "-." -}}
{{- if $tail }}{{ printf "pgherd-%s" $tail }}{{ else }}pgherd{{ end -}}
{{- end -}}

{{- define "pgherd.apiPort" -}}
{{- default 8080 (.Values.configuration.logging_rest_api).api_port | int -}}
{{- end -}}

{{/* The watched namespaces as a JSON object {"all": …, "names": […]}: one place decides between ClusterRole and Roles. */}}
{{- define "pgherd.watched" -}}
{{- $text := default "" (.Values.configuration.kubernetes).watched_namespace -}}
{{- $names := list -}}
{{- range splitList "," $text -}}
{{- if trim . }}{{ $names = append $names (trim .) }}{{ end -}}
{{- end -}}
{{- if not $names }}{{ $names = list .Release.Namespace }}{{ end -}}
{{- dict "all" (eq $text "*") "names" (uniq $names) | toJson -}}
{{- end -}}

{{/* The configuration as it is written: what the chart decides, then what the values say, without nulls. */}}
{{- define "pgherd.configuration" -}}
{{- $config := deepCopy .Values.configuration -}}
{{- if not $config.docker_image -}}
{{- $_ := set $config "docker_image" (printf "docker.io/pgherd/postgres:%s" .Chart.AppVersion) -}}
{{- end -}}
{{- if not (include "pgherd.watched" . | fromJson).all -}}
{{- $_ := set $config "enable_crd_registration" false -}}
{{- end -}}
{{- $kubernetes := default dict $config.kubernetes -}}
{{- if and .Values.podPriorityClass.create (not (hasKey $kubernetes "pod_priority_class_name")) -}}
{{- $_ := set $kubernetes "pod_priority_class_name" (include "pgherd.priorityClassName" .) -}}
{{- end -}}
{{- $_ := set $config "kubernetes" $kubernetes -}}
{{- range $key, $value := $config -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $config $key -}}
{{- else if kindIs "map" $value -}}
{{- range $inner, $deep := $value -}}
{{- if kindIs "invalid" $deep }}{{ $_ := unset $value $inner }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- tpl (toYaml $config) . -}}
{{- end -}}

{{/* A scalar as a text of a ConfigMap: large numbers are floats here and must not become 1e+06. */}}
{{- define "pgherd.text" -}}
{{- if kindIs "float64" . }}{{ if eq . (floor .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* One option of the ConfigMap form: lists with commas, maps as key:value with commas. */}}
{{- define "pgherd.flat" -}}
{{- if kindIs "slice" .value -}}
{{- range .value -}}
{{- if not (kindIs "string" .) }}{{ fail (printf "configuration.%s: a ConfigMap cannot say lists of objects. Cure: configTarget: OperatorConfigurationCRD" $.key) }}{{ end -}}
{{- end -}}
{{- join "," .value -}}
{{- else if kindIs "map" .value -}}
{{- $pairs := list -}}
{{- range $key, $value := .value -}}
{{- if or (kindIs "map" $value) (kindIs "slice" $value) }}{{ fail (printf "configuration.%s: a ConfigMap cannot say nested objects. Cure: configTarget: OperatorConfigurationCRD" $.key) }}{{ end -}}
{{- $text := include "pgherd.text" $value -}}
{{- $pairs = append $pairs (printf "%s:%s" $key (regexMatch "[,:]" $text | ternary (quote $text) $text)) -}}
{{- end -}}
{{- join "," $pairs -}}
{{- else -}}
{{- include "pgherd.text" .value -}}
{{- end -}}
{{- end -}}
