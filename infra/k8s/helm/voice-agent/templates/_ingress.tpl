{{/* What a proxy must be told of streams: it neither holds audio back nor gives up on it while it is spoken.

dict "root" $ "part" "tts" */}}
{{- define "voice-agent.ingress.annotations" -}}
{{- $ingress := .root.Values.ingress -}}
{{- $sticky := (index .root.Values .part).stickySessions -}}
{{- if eq $ingress.controller "ingress-nginx" -}}
nginx.ingress.kubernetes.io/proxy-buffering: "off"
nginx.ingress.kubernetes.io/proxy-read-timeout: {{ $ingress.readTimeoutSeconds | quote }}
nginx.ingress.kubernetes.io/proxy-send-timeout: {{ $ingress.readTimeoutSeconds | quote }}
nginx.ingress.kubernetes.io/proxy-connect-timeout: "5"
nginx.ingress.kubernetes.io/proxy-body-size: {{ $ingress.maxBodySize | quote }}
# The handshake of a WebSocket may be another pod's, where the first one stops; what changes something only if it
# was not sent to the first.
nginx.ingress.kubernetes.io/proxy-next-upstream: error timeout invalid_header http_503
nginx.ingress.kubernetes.io/proxy-next-upstream-tries: "2"
nginx.ingress.kubernetes.io/proxy-next-upstream-timeout: "10"
{{- if $sticky }}
nginx.ingress.kubernetes.io/affinity: cookie
nginx.ingress.kubernetes.io/affinity-mode: persistent
nginx.ingress.kubernetes.io/session-cookie-name: ttsops-agent
nginx.ingress.kubernetes.io/session-cookie-max-age: "3600"
nginx.ingress.kubernetes.io/session-cookie-samesite: Lax
nginx.ingress.kubernetes.io/session-cookie-change-on-failure: "true"
{{- end }}
{{- else if eq $ingress.controller "f5-nginx" -}}
nginx.org/proxy-buffering: "False"
nginx.org/proxy-read-timeout: {{ $ingress.readTimeoutSeconds }}s
nginx.org/proxy-send-timeout: {{ $ingress.readTimeoutSeconds }}s
nginx.org/proxy-connect-timeout: 5s
nginx.org/client-max-body-size: {{ $ingress.maxBodySize | quote }}
nginx.org/websocket-services: {{ include "voice-agent.part" . }}
nginx.org/lb-method: {{ ternary "ip_hash" "least_conn" (default false $sticky) }}
{{- end }}
{{- end -}}

{{/* Speech changes nothing: until its first byte it may be asked of another pod, also by POST. */}}
{{- define "voice-agent.ingress.speech" -}}
nginx.ingress.kubernetes.io/proxy-next-upstream: error timeout invalid_header http_503 non_idempotent
{{- end -}}
