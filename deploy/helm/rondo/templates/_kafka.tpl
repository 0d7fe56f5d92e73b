{{/* How pods are let in at Kafka. Arguments called `user` are a service, or create-topics. */}}

{{- define "rondo.kafkaFiles" -}}
/etc/rondo/kafka
{{- end -}}

{{- define "rondo.kafkaOverTls" -}}
{{- if has .Values.kafka.security.protocol (list "SSL" "SASL_SSL") }}true{{ end -}}
{{- end -}}

{{- define "rondo.kafkaByPassword" -}}
{{- if hasPrefix "SASL_" .Values.kafka.security.protocol }}true{{ end -}}
{{- end -}}

{{/* The Secret with the certificate of the brokers' authority; empty: those that the image trusts. */}}
{{- define "rondo.kafkaAuthority" -}}
{{- $security := .Values.kafka.security -}}
{{- if $security.ca.existingSecret -}}
{{- $security.ca.existingSecret -}}
{{- else if and .Values.strimzi.users.enabled (include "rondo.kafkaOverTls" .) -}}
{{- printf "%s-cluster-ca-cert" (include "rondo.strimziCluster" .) -}}
{{- end -}}
{{- end -}}

{{/* The Secret by which a user is let in: their own, that of all, or the one Strimzi makes. Argument: dict root, user. */}}
{{- define "rondo.kafkaCredentials" -}}
{{- $security := .root.Values.kafka.security -}}
{{- $own := get $security.credentials.perService .user -}}
{{- if $own -}}
{{- $own -}}
{{- else if $security.credentials.existingSecret -}}
{{- $security.credentials.existingSecret -}}
{{- else if and .root.Values.strimzi.users.enabled (ne .user "create-topics") -}}
{{- printf "%s-%s" (include "rondo.fullname" .root) .user -}}
{{- end -}}
{{- end -}}

{{/* Whether a user's credentials are those that Strimzi makes, in which there is no name. Argument: dict root, user. */}}
{{- define "rondo.kafkaCredentialsOfStrimzi" -}}
{{- $credentials := .root.Values.kafka.security.credentials -}}
{{- if and .root.Values.strimzi.users.enabled (not $credentials.existingSecret) (not (get $credentials.perService .user)) }}true{{ end -}}
{{- end -}}

{{/* The variables of Kafka. Argument: dict root, user. */}}
{{- define "rondo.kafkaEnvironment" -}}
{{- $root := .root -}}
{{- $security := $root.Values.kafka.security -}}
{{- $secret := include "rondo.kafkaCredentials" . -}}
{{- $files := include "rondo.kafkaFiles" $root -}}
- {name: RONDO_KAFKA_BOOTSTRAP, value: {{ include "rondo.kafkaBootstrap" $root | quote }}}
{{- if ne $security.protocol "PLAINTEXT" }}
- {name: RONDO_KAFKA_SECURITY_PROTOCOL, value: {{ $security.protocol | quote }}}
{{- end }}
{{- if include "rondo.kafkaOverTls" $root }}
{{- if include "rondo.kafkaAuthority" $root }}
- {name: RONDO_KAFKA_CA_FILE, value: {{ printf "%s/ca.crt" $files | quote }}}
{{- end }}
{{- if and $secret (not (include "rondo.kafkaByPassword" $root)) }}
- {name: RONDO_KAFKA_CERTIFICATE_FILE, value: {{ printf "%s/user.crt" $files | quote }}}
- {name: RONDO_KAFKA_KEY_FILE, value: {{ printf "%s/user.key" $files | quote }}}
{{- end }}
{{- end }}
{{- if include "rondo.kafkaByPassword" $root }}
- {name: RONDO_KAFKA_SASL_MECHANISM, value: {{ $security.mechanism | quote }}}
{{- if include "rondo.kafkaCredentialsOfStrimzi" . }}
- {name: RONDO_KAFKA_USERNAME, value: {{ $secret | quote }}}
{{- else }}
{{ include "rondo.secretVariable" (dict "variable" "RONDO_KAFKA_USERNAME" "secret" $secret "key" $security.credentials.usernameKey) }}
{{- end }}
{{ include "rondo.secretVariable" (dict "variable" "RONDO_KAFKA_PASSWORD" "secret" $secret "key" $security.credentials.passwordKey) }}
{{- end }}
{{- end -}}

{{/* The parts of the volume of files, as a list of projections. Argument: dict root, user. */}}
{{- define "rondo.kafkaProjections" -}}
{{- $root := .root -}}
{{- $security := $root.Values.kafka.security -}}
{{- $secret := include "rondo.kafkaCredentials" . -}}
{{- if include "rondo.kafkaOverTls" $root -}}
{{- with include "rondo.kafkaAuthority" $root }}
- secret:
    name: {{ . }}
    items: [{key: {{ $security.ca.key | quote }}, path: ca.crt}]
{{- end }}
{{- if and $secret (not (include "rondo.kafkaByPassword" $root)) }}
- secret:
    name: {{ $secret }}
    items:
      - {key: {{ $security.credentials.certificateKey | quote }}, path: user.crt}
      - {key: {{ $security.credentials.keyKey | quote }}, path: user.key}
{{- end }}
{{- end }}
{{- end -}}

{{/* Argument: dict root, user. */}}
{{- define "rondo.kafkaVolume" -}}
{{- with include "rondo.kafkaProjections" . | trim }}
- name: kafka
  projected:
    # The group of the pod reads it, and nobody else.
    defaultMode: 0440
    sources: {{- . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Argument: dict root, user. */}}
{{- define "rondo.kafkaMount" -}}
{{- if include "rondo.kafkaProjections" . | trim }}
- {name: kafka, mountPath: {{ include "rondo.kafkaFiles" .root }}, readOnly: true}
{{- end }}
{{- end -}}

{{/* What does not go together of all this ends with a word on the remedy. */}}
{{- define "rondo.kafkaChecks" -}}
{{- $root := . -}}
{{- $security := .Values.kafka.security -}}
{{- $credentials := $security.credentials -}}
{{- $given := or $credentials.existingSecret (not (empty $credentials.perService)) -}}
{{- if and (eq $security.protocol "PLAINTEXT") (or $given $security.ca.existingSecret) -}}
{{- fail "set kafka.security.protocol to SASL_SSL or SSL: with PLAINTEXT, its Secrets would not be used" -}}
{{- end -}}
{{- if and (not (include "rondo.kafkaOverTls" .)) $security.ca.existingSecret -}}
{{- fail "set kafka.security.protocol to SASL_SSL or SSL: without TLS, kafka.security.ca would not be used" -}}
{{- end -}}
{{- if include "rondo.kafkaByPassword" . -}}
{{- range $name := include "rondo.services" . | splitList " " -}}
{{- if not (include "rondo.kafkaCredentials" (dict "root" $root "user" $name)) -}}
{{- fail (printf "set kafka.security.credentials.perService.%s, or existingSecret for all, to a Secret with a username and a password" $name) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.kafka.topics.createdBy "job") (not (include "rondo.kafkaCredentials" (dict "root" $root "user" "create-topics"))) -}}
{{- fail "set kafka.security.credentials.perService.create-topics to a Secret of a user that may create topics, or kafka.topics.createdBy=strimzi" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.strimzi.users.enabled (ne $security.protocol "PLAINTEXT") -}}
{{- $wanted := ternary "scram-sha-512" "tls" (eq $security.protocol "SASL_SSL") -}}
{{- if not (has $security.protocol (list "SSL" "SASL_SSL")) -}}
{{- fail "set kafka.security.protocol to SASL_SSL or SSL: users of Strimzi come over TLS" -}}
{{- end -}}
{{- if ne .Values.strimzi.users.authentication $wanted -}}
{{- fail (printf "set strimzi.users.authentication=%s, as kafka.security.protocol is %s" $wanted $security.protocol) -}}
{{- end -}}
{{- if and (eq $security.protocol "SASL_SSL") (ne $security.mechanism "SCRAM-SHA-512") (not $given) -}}
{{- fail "set kafka.security.mechanism=SCRAM-SHA-512: Strimzi's users have no other password" -}}
{{- end -}}
{{- if and (ne (include "rondo.strimziNamespace" .) .Release.Namespace) (not (and $given $security.ca.existingSecret)) -}}
{{- fail "copy Strimzi's Secrets into the release's namespace, and name them in kafka.security.ca and kafka.security.credentials: pods mount none of another namespace" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The same for KEDA, which comes as the service that it scales. Argument: dict root, user. */}}
{{- define "rondo.kafkaTrigger" -}}
{{- $root := .root -}}
{{- $security := $root.Values.kafka.security -}}
{{- $secret := include "rondo.kafkaCredentials" . -}}
{{- $targets := list -}}
{{- if and (include "rondo.kafkaOverTls" $root) (include "rondo.kafkaAuthority" $root) -}}
{{- $targets = append $targets (dict "parameter" "ca" "name" (include "rondo.kafkaAuthority" $root) "key" $security.ca.key) -}}
{{- end -}}
{{- if include "rondo.kafkaByPassword" $root -}}
{{- $targets = append $targets (dict "parameter" "password" "name" $secret "key" $security.credentials.passwordKey) -}}
{{- else if $secret -}}
{{- $targets = append $targets (dict "parameter" "cert" "name" $secret "key" $security.credentials.certificateKey) -}}
{{- $targets = append $targets (dict "parameter" "key" "name" $secret "key" $security.credentials.keyKey) -}}
{{- end -}}
{{- with $targets }}
secretTargetRef: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if include "rondo.kafkaByPassword" $root }}
# Strimzi's Secrets have no name in them; the pod that is scaled knows it.
env:
  - {parameter: username, name: RONDO_KAFKA_USERNAME, containerName: {{ .user }}}
{{- end }}
{{- end -}}
