{{/* When there are more pods, and how slowly there are fewer: each that goes is drained, and may speak for minutes. */}}

{{- define "voice-agent.scaling.behavior" -}}
{{- $auto := .Values.tts.autoscaling -}}
scaleUp:
  stabilizationWindowSeconds: 0
  selectPolicy: Max
  policies:
    - type: Pods
      value: {{ $auto.scaleUp.podsPerMinute }}
      periodSeconds: 60
scaleDown:
  stabilizationWindowSeconds: {{ $auto.scaleDown.stabilizationSeconds }}
  policies:
    - type: Pods
      value: 1
      periodSeconds: {{ $auto.scaleDown.secondsPerPod }}
{{- end -}}

{{- define "voice-agent.scaling.live" -}}
sum(tts_live_streams{{ printf "{%s}" (include "voice-agent.series" .) }}) or vector(0)
{{- end -}}

{{/* With no request in the window a quantile is NaN, which is no number to scale by: then it is 0. */}}
{{- define "voice-agent.scaling.wait" -}}
(histogram_quantile(0.95, sum by (le) (rate(tts_queue_wait_seconds_bucket{{ printf "{%s}" (include "voice-agent.series" .) }}[2m]))) >= 0) or vector(0)
{{- end -}}
