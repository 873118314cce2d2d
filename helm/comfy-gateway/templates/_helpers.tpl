{{- define "comfy-gateway.name" -}}
{{- .Values.nameOverride | default .Chart.Name -}}
{{- end -}}

{{/*
Name of everything of a release. It leaves room for "-management" in the 63 characters of a DNS label, and two long
names that begin alike stay apart.
*/}}
{{- define "comfy-gateway.fullname" -}}
{{- $name := .Release.Name -}}
{{- if .Values.fullnameOverride -}}
{{- $name = .Values.fullnameOverride -}}
{{- else if not (contains (include "comfy-gateway.name" .) $name) -}}
{{- $name = printf "%s-%s" $name (include "comfy-gateway.name" .) -}}
{{- end -}}
{{- if gt (len $name) 50 -}}
{{- $name = printf "%s-%s" ($name | trunc 41 | trimSuffix "-") ($name | sha256sum | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "comfy-gateway.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "comfy-gateway.fullname" .) "default") -}}
{{- end -}}

{{- define "comfy-gateway.selector" -}}
app.kubernetes.io/name: {{ include "comfy-gateway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of an object: (list . LABELS...). The chart's own win over LABELS, and those over commonLabels. */}}
{{- define "comfy-gateway.labels" -}}
{{- $root := first . -}}
{{- $labels := include "comfy-gateway.selector" $root | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/version" $root.Chart.AppVersion -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_") -}}
{{- range append (rest .) $root.Values.commonLabels -}}
{{- $labels = merge $labels . -}}
{{- end -}}
{{- toYaml $labels -}}
{{- end -}}

{{/* Labels of the test's pod, which no Service and no budget may select. */}}
{{- define "comfy-gateway.testSelector" -}}
app.kubernetes.io/name: {{ include "comfy-gateway.name" . }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "comfy-gateway.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Environment variable of a setting. A name with capital letters stays as it is: a logger's name has them. */}}
{{- define "comfy-gateway.variable" -}}
{{- regexMatch "[A-Z]" . | ternary . (upper . | replace "." "_" | replace "-" "_") -}}
{{- end -}}

{{/* Text of a setting: a list is its entries with commas. In JSON a large number is no 1e+06. */}}
{{- define "comfy-gateway.text" -}}
{{- if kindIs "slice" . -}}
{{- range $i, $entry := . }}{{ if $i }},{{ end }}{{ include "comfy-gateway.text" $entry }}{{ end -}}
{{- else -}}
{{- kindIs "string" . | ternary . (toJson .) -}}
{{- end -}}
{{- end -}}

{{/* "true" where comfy.auth is none: a ComfyUI that has no keys. */}}
{{- define "comfy-gateway.keyless" -}}
{{- $auth := get .Values.settings "comfy.auth" -}}
{{- range .Values.extraEnv -}}
{{- if eq .name "COMFY_AUTH" -}}{{- $auth = .value -}}{{- end -}}
{{- end -}}
{{- if eq (toString $auth) "none" -}}true{{- end -}}
{{- end -}}

{{/* "true" where the chart mounts the key: not where none is sent, nor where it comes another way. */}}
{{- define "comfy-gateway.hasKey" -}}
{{- $elsewhere := or (include "comfy-gateway.keyless" .) (not (or .Values.apiKey.existingSecret .Values.apiKey.value)) -}}
{{- range .Values.extraEnv -}}
{{- if has .name (list "COMFY_API_KEY" "COMFY_API_KEY_FILE") -}}{{- $elsewhere = true -}}{{- end -}}
{{- end -}}
{{- if not $elsewhere -}}true{{- end -}}
{{- end -}}

{{- define "comfy-gateway.secretName" -}}
{{- if .Values.apiKey.value -}}
{{ include "comfy-gateway.fullname" . }}
{{- else -}}
{{ .Values.apiKey.existingSecret }}
{{- end -}}
{{- end -}}

{{/* Paths that a route can have besides /api/prompt and its stream, the last ones with all below them. */}}
{{- define "comfy-gateway.docsPaths" -}}
exact: [/v3/api-docs, /v3/api-docs.yaml, /v3/api-docs/swagger-config, /swagger-ui.html]
prefix: [/swagger-ui]
{{- end -}}

{{- define "comfy-gateway.pagePaths" -}}
exact: [/, /api/prompt/history]
prefix: [/page, /webjars/uplot]
{{- end -}}
