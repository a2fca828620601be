{{/* Peers of network policies, each an entry of `from` or `to`. */}}

{{/* dict "namespace" name "cidrs" list */}}
{{- define "voice-agent.network.from" -}}
{{- with .namespace }}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ . }}
{{- end }}
{{- range .cidrs }}
- ipBlock:
    cidr: {{ . }}
{{- end }}
{{- end -}}

{{/* Names are asked for wherever they are answered. */}}
{{- define "voice-agent.network.dns" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{/* The world over TLS; not what the node alone should ask, such as its own credentials. */}}
{{- define "voice-agent.network.https" -}}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [169.254.0.0/16]
    - ipBlock:
        cidr: ::/0
        except: ["fd00:ec2::/32"]
  ports:
    - port: 443
      protocol: TCP
{{- end -}}

{{/* Requests from outside where there is an Ingress, and whoever scrapes. dict "root" $ "part" "tts" */}}
{{- define "voice-agent.network.ingress" -}}
{{- $values := index .root.Values .part -}}
{{- $policy := .root.Values.networkPolicy -}}
{{- $outside := include "voice-agent.network.from" $policy.ingressController | trim -}}
{{- $prometheus := include "voice-agent.network.from" $policy.prometheus | trim -}}
{{- if and $values.ingress.enabled $outside -}}
- from:
    {{- $outside | nindent 4 }}
  ports:
    - port: http
      protocol: TCP
{{ end -}}
{{- if $prometheus -}}
- from:
    {{- $prometheus | nindent 4 }}
  ports:
    - port: {{ ternary "metrics" "http" (ne (int $values.metricsPort) 0) }}
      protocol: TCP
{{ end -}}
{{- with (index $policy .part).ingress -}}
{{- toYaml . }}
{{- end -}}
{{- end -}}
