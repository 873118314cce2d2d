{{/*
Name of everything of a release. It leaves room for "-management" in the 63 characters of a DNS label, and two long
names that begin alike stay apart.
*/}}
{{- define "comfy-gateway.fullname" -}}
{{- $name := .Release.Name -}}
{{- if not (contains .Chart.Name $name) -}}
{{- $name = printf "%s-%s" $name .Chart.Name -}}
{{- end -}}
{{- if gt (len $name) 50 -}}
{{- $name = printf "%s-%s" ($name | trunc 41 | trimSuffix "-") ($name | sha256sum | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "comfy-gateway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "comfy-gateway.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "comfy-gateway.labels" -}}
{{ include "comfy-gateway.selector" . }}
{{ include "comfy-gateway.commonLabels" . }}
{{- end -}}

{{/* Labels of the test's pod, which no Service and no budget may select. */}}
{{- define "comfy-gateway.testSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "comfy-gateway.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* "true" where the gateway sends a key: always but before a ComfyUI that has none. */}}
{{- define "comfy-gateway.hasKey" -}}
{{- if ne (get .Values.settings "comfy.auth" | default "api-key") "none" -}}true{{- end -}}
{{- end -}}

{{- define "comfy-gateway.secretName" -}}
{{- if .Values.apiKey.value -}}
{{ include "comfy-gateway.fullname" . }}
{{- else -}}
{{ .Values.apiKey.existingSecret }}
{{- end -}}
{{- end -}}

{{/* Paths of the OpenAPI document and its page. */}}
{{- define "comfy-gateway.docsPaths" -}}
exact: [/v3/api-docs, /v3/api-docs.yaml, /swagger-ui.html]
prefix: [/webjars/swagger-ui]
{{- end -}}
