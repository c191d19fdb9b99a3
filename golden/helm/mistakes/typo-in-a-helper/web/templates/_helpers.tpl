{{- define "web.image" -}}
{{ .Values.image.repo.name }}
{{- end -}}
{{- define "web.container" -}}
image: {{ include "web.image" . }}
{{- end -}}
