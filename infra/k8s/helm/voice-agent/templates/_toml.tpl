{{/* Settings as TOML. Helm's own toToml makes a float of every whole number, which the settings refuse.

dict "path" the names of the tables above "table" the map. A value that is null is left out. */}}
{{- define "voice-agent.toml" -}}
{{- $path := .path -}}
{{- range $key, $value := .table -}}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value)) }}
{{ include "voice-agent.toml.key" $key }} = {{ toJson $value }}
{{- end -}}
{{- end -}}
{{- range $key, $value := .table -}}
{{- if kindIs "map" $value }}
{{- $below := append $path (include "voice-agent.toml.key" $key) }}

[{{ join "." $below }}]
{{- include "voice-agent.toml" (dict "path" $below "table" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "voice-agent.toml.key" -}}
{{- ternary . (toJson .) (regexMatch "^[A-Za-z0-9_-]+$" .) -}}
{{- end -}}
