{{/* How pods are let in at Redis. Arguments called `user` are a service. */}}

{{- define "rondo.redisFiles" -}}
/etc/rondo/redis
{{- end -}}

{{/* The Secret with the URL of a service: its own, or that of all. Argument: dict root, user. */}}
{{- define "rondo.redisSecret" -}}
{{- $redis := .root.Values.redis -}}
{{- get $redis.perService .user | default $redis.existingSecret -}}
{{- end -}}

{{/* The variables of Redis. Argument: dict root, user. */}}
{{- define "rondo.redisEnvironment" -}}
{{- $redis := .root.Values.redis -}}
{{- $files := include "rondo.redisFiles" .root -}}
{{- $secret := dict "existingSecret" (include "rondo.redisSecret" .) "existingSecretKey" $redis.existingSecretKey -}}
{{ include "rondo.address" (dict "variable" "RONDO_REDIS_URL" "values" $secret "plain" $redis.url) }}
{{- if ne $redis.topology "standalone" }}
- {name: RONDO_REDIS_TOPOLOGY, value: {{ $redis.topology | quote }}}
{{- end }}
{{- if $redis.ca.existingSecret }}
- {name: RONDO_REDIS_CA_FILE, value: {{ printf "%s/ca.crt" $files | quote }}}
{{- end }}
{{- if $redis.clientCertificate.existingSecret }}
- {name: RONDO_REDIS_CERTIFICATE_FILE, value: {{ printf "%s/user.crt" $files | quote }}}
- {name: RONDO_REDIS_KEY_FILE, value: {{ printf "%s/user.key" $files | quote }}}
{{- end }}
{{- if $redis.replicasMin }}
- {name: RONDO_REDIS_REPLICAS_MIN, value: {{ $redis.replicasMin | quote }}}
{{- end }}
{{- if eq $redis.topology "sentinel" }}
- {name: RONDO_REDIS_SENTINEL_SERVICE, value: {{ $redis.sentinel.service | quote }}}
{{- with $redis.sentinel.username }}
- {name: RONDO_REDIS_SENTINEL_USERNAME, value: {{ . | quote }}}
{{- end }}
{{- with $redis.sentinel.existingSecret }}
{{ include "rondo.secretVariable" (dict "variable" "RONDO_REDIS_SENTINEL_PASSWORD" "secret" . "key" $redis.sentinel.existingSecretKey) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The parts of the volume of files, as a list of projections. Argument: dict root, user. */}}
{{- define "rondo.redisProjections" -}}
{{- $redis := .root.Values.redis -}}
{{- $reaches := (index (include "rondo.facts" .root | fromJson).services .user).reaches -}}
{{- if has "redis" $reaches -}}
{{- with $redis.ca.existingSecret }}
- secret:
    name: {{ . }}
    items: [{key: {{ $redis.ca.key | quote }}, path: ca.crt}]
{{- end }}
{{- with $redis.clientCertificate.existingSecret }}
- secret:
    name: {{ . }}
    items:
      - {key: {{ $redis.clientCertificate.certificateKey | quote }}, path: user.crt}
      - {key: {{ $redis.clientCertificate.keyKey | quote }}, path: user.key}
{{- end }}
{{- end }}
{{- end -}}

{{/* Argument: dict root, user. */}}
{{- define "rondo.redisVolume" -}}
{{- with include "rondo.redisProjections" . | trim }}
- name: redis
  projected:
    # The group of the pod reads it, and nobody else.
    defaultMode: 0440
    sources: {{- . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Argument: dict root, user. */}}
{{- define "rondo.redisMount" -}}
{{- if include "rondo.redisProjections" . | trim }}
- {name: redis, mountPath: {{ include "rondo.redisFiles" .root }}, readOnly: true}
{{- end }}
{{- end -}}

{{/* What does not go together of all this ends with a word on the remedy. */}}
{{- define "rondo.redisChecks" -}}
{{- $root := . -}}
{{- $redis := .Values.redis -}}
{{- range $name := list "gateway" "router" "notifier" -}}
{{- if not (or $redis.url (include "rondo.redisSecret" (dict "root" $root "user" $name))) -}}
{{- fail (printf "set redis.existingSecret to a Secret with the URL of Redis or Valkey, or redis.perService.%s, or redis.url where it needs no password" $name) -}}
{{- end -}}
{{- end -}}
{{- if and (hasPrefix "redis://" $redis.url) (or $redis.ca.existingSecret $redis.clientCertificate.existingSecret) -}}
{{- fail "let redis.url begin with rediss://: without TLS, redis.ca and redis.clientCertificate would not be used" -}}
{{- end -}}
{{- if and (eq $redis.topology "sentinel") (not $redis.sentinel.service) -}}
{{- fail "set redis.sentinel.service to what the sentinels call the primary" -}}
{{- end -}}
{{- if and (ne $redis.topology "sentinel") (or $redis.sentinel.service $redis.sentinel.username $redis.sentinel.existingSecret) -}}
{{- fail "set redis.topology=sentinel, or leave redis.sentinel out" -}}
{{- end -}}
{{- end -}}
