{{/* Names and labels. Most take a part of the release: dict "root" $ "part" "tts". */}}

{{- define "voice-agent.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough for the longest suffix. */}}
{{- define "voice-agent.fullname" -}}
{{- $name := include "voice-agent.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "voice-agent.part" -}}
{{- printf "%s-%s" (include "voice-agent.fullname" .root) .part -}}
{{- end -}}

{{/* What never changes while the release lives: Services and Deployments find pods by it. */}}
{{- define "voice-agent.selector" -}}
app.kubernetes.io/name: {{ include "voice-agent.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "voice-agent.labels" -}}
{{ include "voice-agent.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tts-ops
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Only the speech server reads the bucket of models, so the two are two accounts. */}}
{{- define "voice-agent.account" -}}
{{- $own := ternary (include "voice-agent.fullname" .root) (include "voice-agent.part" .) (eq .part "tts") -}}
{{- $account := (index .root.Values .part).serviceAccount -}}
{{- default (ternary $own "default" $account.create) $account.name -}}
{{- end -}}

{{/* dict "image" {repository, tag, digest} "version" what stands in for an empty tag */}}
{{- define "voice-agent.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .version .image.tag }}
{{- end -}}
{{- end -}}

{{/* Seconds from the wish to stop a pod until it is killed. */}}
{{- define "voice-agent.grace" -}}
{{- $values := index .root.Values .part -}}
{{- default (add $values.preStopSeconds $values.drainSeconds 15) $values.terminationGracePeriodSeconds -}}
{{- end -}}

{{/* Its series in Prometheus, however it scrapes: all it needs are the labels `namespace` and `pod`. */}}
{{- define "voice-agent.series" -}}
namespace="{{ .root.Release.Namespace }}",pod=~"{{ include "voice-agent.part" . }}-.+"
{{- end -}}

{{/* What is installed: ["tts", "agent"], as JSON. */}}
{{- define "voice-agent.parts" -}}
{{- ternary (list "tts" "agent") (list "tts") .Values.agent.enabled | toJson -}}
{{- end -}}
