{{/* Each change moves partitions or streams, so they are few: up by at most as many again, down one by one. */}}
{{- define "rondo.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 30
  policies:
    - {type: Percent, value: 100, periodSeconds: 60}
scaleDown:
  stabilizationWindowSeconds: 300
  policies:
    - {type: Pods, value: 1, periodSeconds: 120}
{{- end -}}
