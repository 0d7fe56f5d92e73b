{{/* Names and labels. */}}

{{- define "rondo.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels of everything. Argument: dict root, component. */}}
{{- define "rondo.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: rondo
{{ include "rondo.selector" . }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels that never change. Argument: dict root, component. */}}
{{- define "rondo.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The image of a service. Argument: dict root, name. */}}
{{- define "rondo.image" -}}
{{- $image := .root.Values.image -}}
{{- $registry := ternary (printf "%s/" $image.registry) "" (ne $image.registry "") -}}
{{- $digest := get $image.digests .name -}}
{{- $version := ternary (printf "@%s" $digest) (printf ":%s" (default .root.Chart.AppVersion $image.tag)) (not (empty $digest)) -}}
{{- printf "%s%s-%s%s" $registry $image.repository .name $version -}}
{{- end -}}

{{/* The names of the services, in the order they are rendered. */}}
{{- define "rondo.services" -}}
gateway router notifier history live-metrics
{{- end -}}

{{/* A service's values, over those that all have; as YAML. Argument: dict root, name. */}}
{{- define "rondo.service" -}}
{{- $own := default (dict) (index .root.Values.services .name) -}}
{{- mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy $own) | toYaml -}}
{{- end -}}

{{/* What the code says: topics, settings, deadlines; as JSON. */}}
{{- define "rondo.facts" -}}
{{- .Files.Get "files/facts.json" -}}
{{- end -}}

{{- define "rondo.authSecret" -}}
{{- default (printf "%s-auth" (include "rondo.fullname" .)) .Values.auth.existingSecret -}}
{{- end -}}

{{- define "rondo.strimziCluster" -}}
{{- default (printf "%s-kafka" (include "rondo.fullname" .)) .Values.strimzi.cluster -}}
{{- end -}}

{{- define "rondo.strimziNamespace" -}}
{{- default .Release.Namespace .Values.strimzi.namespace -}}
{{- end -}}

{{- define "rondo.kafkaBootstrap" -}}
{{- if .Values.kafka.bootstrap -}}
{{- .Values.kafka.bootstrap -}}
{{- else -}}
{{- $port := ternary 9093 9092 (eq (include "rondo.kafkaOverTls" .) "true") -}}
{{- printf "%s-kafka-bootstrap.%s.svc:%d" (include "rondo.strimziCluster" .) (include "rondo.strimziNamespace" .) $port -}}
{{- end -}}
{{- end -}}
