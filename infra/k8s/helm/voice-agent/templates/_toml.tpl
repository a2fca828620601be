{{/* Settings as TOML. Helm's own toToml makes a float of every whole number, which the settings refuse.

dict "path" the names of the tables above "table" the map. A value that is null is left out. */}}
{{- define "voice-agent.toml" -}}
{{- $path := .path -}}
{{- $head := ternary "" (printf "\n\n[%s]" (join "." $path)) (empty $path) -}}
{{- range $key, $value := .table -}}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value)) -}}
{{- $head }}
{{ include "voice-agent.toml.key" $key }} = {{ toJson $value }}
{{- $head = "" -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := .table -}}
{{- if kindIs "map" $value -}}
{{- include "voice-agent.toml" (dict "path" (append $path (include "voice-agent.toml.key" $key)) "table" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "voice-agent.toml.key" -}}
{{- ternary . (toJson .) (regexMatch "^[A-Za-z0-9_-]+$" .) -}}
{{- end -}}
