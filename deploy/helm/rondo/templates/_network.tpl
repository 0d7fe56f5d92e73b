{{/* Parts of NetworkPolicies. */}}

{{/* One rule of egress. Argument: dict to, ports. Without a "to": anywhere, on these ports. */}}
{{- define "rondo.egress" -}}
- ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .to }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "rondo.dnsEgress" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
  {{- with .Values.networkPolicy.dnsTo }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The brokers: those named, those of Strimzi, or any. */}}
{{- define "rondo.kafkaEgress" -}}
{{- $policy := .Values.networkPolicy.kafka -}}
{{- $to := $policy.to -}}
{{- if and (empty $to) .Values.strimzi.kafka.enabled -}}
{{- $pods := dict "matchLabels" (dict "strimzi.io/cluster" (include "rondo.strimziCluster" .)) -}}
{{- $namespace := dict "matchLabels" (dict "kubernetes.io/metadata.name" (include "rondo.strimziNamespace" .)) -}}
{{- $to = list (dict "podSelector" $pods "namespaceSelector" $namespace) -}}
{{- end -}}
{{- include "rondo.egress" (dict "to" $to "ports" $policy.ports) -}}
{{- end -}}

{{/* Where a service's metrics are: the gateway's apart from its public port, the others' where they answer. */}}
{{- define "rondo.scrapedPort" -}}
{{- $fact := index (include "rondo.facts" .root | fromJson).services .name -}}
{{- if ne .name "gateway" -}}http{{- else if has "RONDO_INTERNAL_PORT" $fact.variables -}}metrics{{- end -}}
{{- end -}}
