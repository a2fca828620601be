{{/* What the pods of both parts have in common: dict "root" $ "part" "tts" "values" .Values.tts. */}}

{{/* The user of infra/docker: a number, so that Kubernetes can see that it is not root. */}}
{{- define "voice-agent.pod.security" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "voice-agent.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where it may run, and what it needs beside the containers. */}}
{{- define "voice-agent.pod.place" -}}
# A Service named like a setting would become an environment variable, and an unknown setting is an error.
enableServiceLinks: false
automountServiceAccountToken: false
serviceAccountName: {{ include "voice-agent.account" . }}
securityContext:
  {{- include "voice-agent.pod.security" . | nindent 2 }}
terminationGracePeriodSeconds: {{ include "voice-agent.grace" . }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $keys := dict "zone" "topology.kubernetes.io/zone" "hostname" "kubernetes.io/hostname" }}
{{- if or .values.topologySpread.zone .values.topologySpread.hostname }}
topologySpreadConstraints:
  {{- range $name := list "zone" "hostname" }}
  {{- with index $.values.topologySpread $name }}
  - maxSkew: 1
    topologyKey: {{ index $keys $name }}
    whenUnsatisfiable: {{ . }}
    labelSelector:
      matchLabels:
        {{- include "voice-agent.selector" $ | nindent 8 }}
    # Old pods that still speak do not count.
    matchLabelKeys: [pod-template-hash]
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* An old pod goes when a new one is ready, and never before. */}}
{{- define "voice-agent.strategy" -}}
type: RollingUpdate
rollingUpdate:
  maxUnavailable: 0
  maxSurge: {{ .values.maxSurge }}
{{- end -}}

{{- define "voice-agent.container.ports" -}}
- name: http
  containerPort: {{ .values.port }}
{{- with .values.metricsPort }}
- name: metrics
  containerPort: {{ . }}
{{- end }}
{{- end -}}

{{/* Once started: ready says whether requests are sent here, live whether a restart would help. */}}
{{- define "voice-agent.container.probes" -}}
readinessProbe:
  httpGet:
    path: /health/ready
    port: http
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  httpGet:
    path: /health/live
    port: http
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
lifecycle:
  preStop:
    # It goes on taking requests until every proxy knows that it leaves. SIGTERM comes after.
    sleep:
      seconds: {{ .values.preStopSeconds }}
{{- end -}}

{{- define "voice-agent.container.mounts" -}}
- name: settings
  mountPath: /etc/ttsops/settings
  readOnly: true
{{- if .values.apiKeys.secret }}
- name: keys
  mountPath: /etc/ttsops/keys
  readOnly: true
{{- end }}
- name: state
  mountPath: /var/lib/ttsops
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- define "voice-agent.pod.volumes" -}}
- name: settings
  configMap:
    name: {{ include "voice-agent.part" . }}
{{- with .values.apiKeys }}
{{- if .secret }}
- name: keys
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- end }}
{{- end }}
- name: state
  {{- if .values.state.claim }}
  persistentVolumeClaim:
    claimName: {{ .values.state.claim }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .values.state.sizeLimit }}
  {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .values.tmpSizeLimit }}
{{- end -}}
