{{/* What no schema can say: values that do not go together end with a word on the remedy. */}}

{{- define "rondo.checks" -}}
{{- if not (or .Values.auth.existingSecret .Values.auth.generate) -}}
{{- fail "set auth.existingSecret to a Secret with root-key and token-secret, or auth.generate=true for trying" -}}
{{- end -}}
{{- if not (or .Values.kafka.bootstrap .Values.strimzi.kafka.enabled) -}}
{{- fail "set kafka.bootstrap to your brokers, or strimzi.kafka.enabled=true for trying" -}}
{{- end -}}
{{- if not (or .Values.postgres.dsn .Values.postgres.existingSecret) -}}
{{- fail "set postgres.existingSecret to a Secret with the DSN of PostgreSQL, or postgres.dsn where it needs no password" -}}
{{- end -}}
{{- if and .Values.strimzi.kafka.enabled (eq .Values.kafka.topics.createdBy "job") -}}
{{- fail "set kafka.topics.createdBy=strimzi: the Job runs before there is the Kafka of strimzi.kafka.enabled" -}}
{{- end -}}
{{- if and .Values.strimzi.kafka.enabled (or (gt (int .Values.kafka.replicationFactor) 1) (gt (int .Values.kafka.minInsyncReplicas) 1)) -}}
{{- fail "set kafka.replicationFactor=1 and kafka.minInsyncReplicas=1: the Kafka of strimzi.kafka.enabled has one node" -}}
{{- end -}}
{{- if gt (int .Values.kafka.minInsyncReplicas) (int .Values.kafka.replicationFactor) -}}
{{- fail "kafka.minInsyncReplicas is more than kafka.replicationFactor: no record could be confirmed" -}}
{{- end -}}
{{- if and (or .Values.strimzi.users.enabled (eq .Values.kafka.topics.createdBy "strimzi")) (not (or .Values.strimzi.cluster .Values.strimzi.kafka.enabled)) -}}
{{- fail "set strimzi.cluster to the name of your Kafka resource: its topics and users carry it" -}}
{{- end -}}
{{- include "rondo.kafkaChecks" . -}}
{{- include "rondo.redisChecks" . -}}
{{- if and .Values.ingress.enabled (empty .Values.ingress.hosts) -}}
{{- fail "set ingress.hosts: an Ingress without a name would answer to all of them" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (empty .Values.httpRoute.parentRefs) -}}
{{- fail "set httpRoute.parentRefs to the Gateway that the route belongs to" -}}
{{- end -}}
{{- $facts := include "rondo.facts" . | fromJson -}}
{{- $known := dict -}}
{{- range $facts.services -}}{{- range .settings -}}{{- $_ := set $known . true -}}{{- end -}}{{- end -}}
{{- range $variable, $_ := .Values.settings -}}
{{- if not (hasKey $known $variable) -}}
{{- fail (printf "settings.%s is no setting that goes here: docs/settings.md has them; addresses and secrets have values of their own" $variable) -}}
{{- end -}}
{{- end -}}
{{- end -}}
