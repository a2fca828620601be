{{/* What a schema cannot say: values that do not fit each other. Each refusal says what is accepted. */}}

{{- define "voice-agent.checks" -}}
{{- include "voice-agent.checks.part" (dict "values" .Values.tts "part" "tts") -}}
{{- include "voice-agent.checks.owned" (dict "settings" .Values.tts.settings "owned" (list
      "engine: tts.engine"
      "server.host: listen" "server.port: tts.port" "server.metrics_port: tts.metricsPort"
      "server.keys_file: tts.apiKeys" "server.lame_duck_seconds: tts.preStopSeconds"
      "runtime.drain_seconds: tts.drainSeconds" "runtime.load_seconds: tts.modelLoadSeconds"
      "hub.cache: models.volume")) -}}
{{- include "voice-agent.checks.models" . -}}
{{- if .Values.agent.enabled -}}
{{- include "voice-agent.checks.part" (dict "values" .Values.agent "part" "agent") -}}
{{- include "voice-agent.checks.owned" (dict "settings" .Values.agent.settings "owned" (list
      "agent.host: listen" "agent.port: agent.port" "agent.tts_url: the chart itself"
      "server.host: listen" "server.port: agent.port" "server.metrics_port: agent.metricsPort"
      "server.keys_file: agent.apiKeys" "server.lame_duck_seconds: agent.preStopSeconds"
      "runtime.drain_seconds: agent.drainSeconds"
      "llm.provider: agent.llm.provider" "llm.model: agent.llm.model" "llm.base_url: agent.llm.baseUrl"
      "llm.key_file: agent.llm.secret")) -}}
{{- include "voice-agent.checks.agent" . -}}
{{- end -}}
{{- range $name := list "rules" "dashboards" -}}
{{- if and (index $.Values.monitoring $name).enabled (not ($.Files.Glob (printf "files/%s/*" $name))) -}}
{{- fail (printf "monitoring.%s is enabled, and files/%s is empty: it is a link to infra/monitoring, and this copy of the chart lost it; take one that `helm package` made" $name $name) -}}
{{- end -}}
{{- end -}}
{{- include "voice-agent.checks.metrics" (dict "root" . "part" "tts") -}}
{{- if .Values.agent.enabled -}}
{{- include "voice-agent.checks.metrics" (dict "root" . "part" "agent") -}}
{{- end -}}
{{- end -}}

{{- define "voice-agent.checks.part" -}}
{{- $least := add .values.preStopSeconds .values.drainSeconds 5 | int -}}
{{- with .values.terminationGracePeriodSeconds -}}
{{- if lt (int .) $least -}}
{{- fail (printf "%s.terminationGracePeriodSeconds is %d, and cuts speech: preStopSeconds and drainSeconds want at least %d; null computes it" $.part (int .) $least) -}}
{{- end -}}
{{- end -}}
{{- if eq (int .values.port) (int .values.metricsPort) -}}
{{- fail (printf "%s.metricsPort is %s.port: give it another, or 0 for metrics on the main port" .part .part) -}}
{{- end -}}
{{- with .values.autoscaling -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail (printf "%s.autoscaling.minReplicas is above maxReplicas: %d and %d" $.part (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- with .values.ingress -}}
{{- if .enabled -}}
{{- if not .host -}}
{{- fail (printf "%s.ingress.host is empty: give the name under which it is reached" $.part) -}}
{{- end -}}
{{- if not (or $.values.apiKeys.secret .allowAnonymous) -}}
{{- fail (printf "%s.ingress would let anybody in: name a Secret in %s.apiKeys.secret, or set %s.ingress.allowAnonymous to true" $.part $.part $.part) -}}
{{- end -}}
{{- if not (or $.values.apiKeys.secret $.values.metricsPort) -}}
{{- fail (printf "%s.ingress would show the metrics to anybody: give them a port of their own in %s.metricsPort" $.part $.part) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* dict "settings" map "owned" list of "dotted.name: the value that sets it" */}}
{{- define "voice-agent.checks.owned" -}}
{{- $settings := .settings -}}
{{- range .owned -}}
{{- $words := splitList ": " . -}}
{{- $names := splitList "." (first $words) -}}
{{- $section := $settings -}}
{{- range initial $names -}}
{{- $section = default dict (get $section .) -}}
{{- end -}}
{{- if hasKey $section (last $names) -}}
{{- fail (printf "settings: `%s` is set by %s: leave it out there" (first $words) (last $words)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "voice-agent.checks.models" -}}
{{- $models := .Values.models -}}
{{- $is_kept := or $models.volume.claim $models.volume.create -}}
{{- if and (eq $models.source "pvc") (not $is_kept) -}}
{{- fail "models.source is pvc, and there is no claim: name one in models.volume.claim, or set models.volume.create to true and fill it" -}}
{{- end -}}
{{- if and (eq $models.source "s3") (not $models.s3.uri) -}}
{{- fail "models.source is s3, and models.s3.uri is empty: give s3://BUCKET/FOLDER" -}}
{{- end -}}
{{- if and (eq $models.source "hub") (not $models.names) -}}
{{- fail "models.source is hub, and models.names is empty: name what is to be fetched, such as [realtime]" -}}
{{- end -}}
{{- end -}}

{{- define "voice-agent.checks.agent" -}}
{{- $agent := .Values.agent -}}
{{- if and .Values.tts.apiKeys.secret (not $agent.ttsKey.secret) -}}
{{- fail "the speech server asks for a key, and the agent has none: name a Secret in agent.ttsKey.secret" -}}
{{- end -}}
{{- if and (has $agent.llm.provider (list "openai" "anthropic")) (not $agent.llm.secret) -}}
{{- fail (printf "agent.llm.provider is %s, and it has no key: name a Secret in agent.llm.secret" $agent.llm.provider) -}}
{{- end -}}
{{- if and (ne $agent.llm.provider "echo") (not $agent.llm.model) -}}
{{- fail (printf "agent.llm.provider is %s, and agent.llm.model is empty: name the model" $agent.llm.provider) -}}
{{- end -}}
{{- if and (eq $agent.llm.provider "local") (not $agent.llm.baseUrl) -}}
{{- fail "agent.llm.provider is local, and agent.llm.baseUrl is empty: give its address, such as http://ollama.llm:11434/v1" -}}
{{- end -}}
{{- end -}}

{{- define "voice-agent.checks.metrics" -}}
{{- $values := index .root.Values .part -}}
{{- $monitor := .root.Values.monitoring.serviceMonitor -}}
{{- if and $monitor.enabled $values.apiKeys.secret (not $values.metricsPort) (not $monitor.keySecret) -}}
{{- fail (printf "the metrics of %s ask for a key: set %s.metricsPort, or name a Secret in monitoring.serviceMonitor.keySecret" .part .part) -}}
{{- end -}}
{{- end -}}
