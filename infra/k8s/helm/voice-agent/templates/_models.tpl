{{/* How weights come to /models, and that they are whole before anything serves. */}}

{{- define "voice-agent.models.claim" -}}
{{- default (printf "%s-models" (include "voice-agent.fullname" .)) .Values.models.volume.claim -}}
{{- end -}}

{{- define "voice-agent.models.volume" -}}
{{- $volume := .Values.models.volume -}}
- name: models
  {{- if or $volume.claim $volume.create }}
  persistentVolumeClaim:
    claimName: {{ include "voice-agent.models.claim" . }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ $volume.size }}
  {{- end }}
{{- end -}}

{{- define "voice-agent.models.init" -}}
{{- $models := .Values.models -}}
{{- if eq $models.source "s3" }}
{{- include "voice-agent.models.s3" . }}
{{- end }}
{{- if eq $models.source "hub" }}
{{- include "voice-agent.models.step" (dict "root" . "name" "pull-models" "args" (concat (list "models" "pull") $models.names)) }}
{{- end }}
{{- $verify := concat (list "models" "verify") $models.names -}}
{{- if eq $models.verify "quick" -}}
{{- $verify = append $verify "--quick" -}}
{{- end -}}
{{- include "voice-agent.models.step" (dict "root" . "name" "verify-models" "args" $verify "is_read_only" true) }}
{{- end -}}

{{/* `ttsops models`, by the server's own image and settings. */}}
{{- define "voice-agent.models.step" }}
- name: {{ .name }}
  {{- with .root.Values.tts }}
  image: {{ include "voice-agent.image" (dict "image" .image "version" $.root.Chart.AppVersion) }}
  imagePullPolicy: {{ .image.pullPolicy }}
  {{- end }}
  args: {{ concat .args (list "--config" "/etc/ttsops/settings/ttsops.toml") | toJson }}
  {{- with .root.Values.tts.env }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- include "voice-agent.models.box" . }}
    - name: settings
      mountPath: /etc/ttsops/settings
      readOnly: true
    - name: models
      mountPath: /models
      readOnly: {{ default false .is_read_only }}
{{- end -}}

{{/* The tts-ops commands copy over ssh and from the hub; from a bucket AWS's own program copies. */}}
{{- define "voice-agent.models.s3" }}
{{- $s3 := .Values.models.s3 }}
- name: copy-models
  image: {{ include "voice-agent.image" (dict "image" $s3.image "version" "latest") }}
  imagePullPolicy: {{ $s3.image.pullPolicy }}
  command: [aws]
  {{- $args := list "s3" "sync" $s3.uri "/models" "--only-show-errors" }}
  args: {{ ternary (concat $args (list "--endpoint-url" $s3.endpoint)) $args (ne $s3.endpoint "") | toJson }}
  env:
    - name: HOME
      value: /tmp
    {{- with $s3.region }}
    - name: AWS_REGION
      value: {{ . }}
    {{- end }}
  {{- with $s3.credentialsSecret }}
  envFrom:
    - secretRef:
        name: {{ . }}
  {{- end }}
  {{- include "voice-agent.models.box" . }}
    - name: models
      mountPath: /models
{{- end -}}

{{- define "voice-agent.models.box" }}
  securityContext:
    {{- include "voice-agent.container.security" . | nindent 4 }}
  resources:
    requests:
      cpu: 500m
      memory: 512Mi
    limits:
      memory: 1Gi
  volumeMounts:
    - name: tmp
      mountPath: /tmp
    - name: state
      mountPath: /var/lib/ttsops
{{- end -}}
