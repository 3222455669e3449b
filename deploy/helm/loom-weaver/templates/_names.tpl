{{- define "loom-weaver.labels" -}}
app.kubernetes.io/name: loom-weaver
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "loom-weaver.selector" -}}
app.kubernetes.io/name: loom-weaver
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
