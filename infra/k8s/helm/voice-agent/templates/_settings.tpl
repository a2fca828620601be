{{/* What `ttsops --config` reads, as YAML: the values' own settings, and those that follow from other values. */}}

{{- define "voice-agent.settings.server" -}}
port: {{ .values.port }}
{{- with .values.metricsPort }}
metrics_port: {{ . }}
{{- end }}
{{- with .values.apiKeys.secret }}
keys_file: /etc/ttsops/keys/{{ $.values.apiKeys.key }}
{{- end }}
{{- end -}}

{{- define "voice-agent.settings.tts" -}}
{{- $tts := .Values.tts -}}
{{- $own := dict
      "engine" $tts.engine
      "server" (include "voice-agent.settings.server" (dict "values" $tts) | fromYaml)
      "runtime" (dict "drain_seconds" $tts.drainSeconds "load_seconds" $tts.modelLoadSeconds) -}}
{{- if ne .Values.models.source "none" -}}
{{- $_ := set $own "hub" (dict "cache" "/models") -}}
{{- end -}}
{{- mustMergeOverwrite (deepCopy $tts.settings) $own | toYaml -}}
{{- end -}}

{{- define "voice-agent.settings.agent" -}}
{{- $agent := .Values.agent -}}
{{- $server := include "voice-agent.settings.server" (dict "values" $agent) | fromYaml -}}
{{- $llm := dict "provider" $agent.llm.provider "model" $agent.llm.model "base_url" $agent.llm.baseUrl -}}
{{- if $agent.llm.secret -}}
{{- $_ := set $llm "key_file" (printf "/etc/ttsops/llm/%s" $agent.llm.key) -}}
{{- end -}}
{{- $own := dict
      "agent" (dict "port" $agent.port)
      "llm" $llm
      "runtime" (dict "drain_seconds" $agent.drainSeconds)
      "server" (omit $server "port") -}}
{{- mustMergeOverwrite (deepCopy $agent.settings) $own | toYaml -}}
{{- end -}}
