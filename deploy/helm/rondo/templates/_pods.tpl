{{/* Parts of pods, alike for services and Jobs. */}}

{{/* The "restricted" pod security standard, and more. */}}
{{- define "rondo.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "rondo.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* A variable from a Secret. Argument: dict variable, secret, key, optional. */}}
{{- define "rondo.secretVariable" -}}
- name: {{ .variable }}
  valueFrom: {secretKeyRef: {name: {{ .secret | quote }}, key: {{ .key | quote }}{{ if .optional }}, optional: true{{ end }}}}
{{- end -}}

{{/* Where a server is: from its Secret, else as it is. Argument: dict variable, values, plain. */}}
{{- define "rondo.address" -}}
{{- if .values.existingSecret -}}
{{- include "rondo.secretVariable" (dict "variable" .variable "secret" .values.existingSecret "key" .values.existingSecretKey) -}}
{{- else -}}
- {name: {{ .variable }}, value: {{ .plain | quote }}}
{{- end -}}
{{- end -}}

{{/* Whom to take for PostgreSQL: variables, volumes and mounts of those who talk to it. */}}
{{- define "rondo.postgresTrust" -}}
{{- if .Values.postgres.ca.existingSecret }}
- {name: PGSSLMODE, value: verify-full}
- {name: PGSSLROOTCERT, value: /certificates/postgres/ca.crt}
{{- end }}
{{- end -}}

{{- define "rondo.postgresTrustVolume" -}}
{{- with .Values.postgres.ca }}
{{- if .existingSecret }}
- name: postgres-ca
  secret: {secretName: {{ .existingSecret | quote }}, items: [{key: {{ .existingSecretKey | quote }}, path: ca.crt}]}
{{- end }}
{{- end }}
{{- end -}}

{{- define "rondo.postgresTrustMount" -}}
{{- if .Values.postgres.ca.existingSecret }}
- {name: postgres-ca, mountPath: /certificates/postgres, readOnly: true}
{{- end }}
{{- end -}}

{{/* The variables of a service: those it reads, and no others. Argument: dict root, name, own. */}}
{{- define "rondo.environment" -}}
{{- $root := .root -}}
{{- $fact := index (include "rondo.facts" $root | fromJson).services .name -}}
{{- $secret := include "rondo.authSecret" $root -}}
- {name: RONDO_INSTANCE, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: RONDO_HTTP_HOST, value: "0.0.0.0"}
- {name: RONDO_HTTP_PORT, value: "8080"}
{{- if has "RONDO_INTERNAL_PORT" $fact.variables }}
- {name: RONDO_INTERNAL_PORT, value: {{ $root.Values.metrics.port | quote }}}
{{- end }}
{{ include "rondo.kafkaEnvironment" (dict "root" $root "user" .name) }}
{{- if has "redis" $fact.reaches }}
{{ include "rondo.redisEnvironment" (dict "root" $root "user" .name) }}
{{- end }}
{{- if has "postgres" $fact.reaches }}
{{ include "rondo.address" (dict "variable" "RONDO_POSTGRES_DSN" "values" $root.Values.postgres "plain" $root.Values.postgres.dsn) }}
{{- end }}
{{- if has "postgres" $fact.reaches }}
{{- include "rondo.postgresTrust" $root }}
{{- end }}
{{- if and (has "smtp" $fact.reaches) $root.Values.smtp.existingSecret }}
{{ include "rondo.address" (dict "variable" "RONDO_SMTP_URL" "values" $root.Values.smtp) }}
{{- end }}
{{- if has "history" $fact.reaches }}
- {name: RONDO_HISTORY_URL, value: {{ printf "http://%s-history:%v" (include "rondo.fullname" $root) $root.Values.service.port | quote }}}
{{- end }}
{{- range $fact.secrets }}
{{ include "rondo.secretVariable" (dict "variable" .variable "secret" $secret "key" .key "optional" (not .required)) }}
{{- end }}
{{- range $variable, $value := $root.Values.settings }}
{{- if has $variable $fact.settings }}
- {name: {{ $variable }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}
{{- with .own.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
