{{- define "comfy-gateway.name" -}}
{{- .Values.nameOverride | default .Chart.Name -}}
{{- end -}}

{{/*
Name of all objects of a release. It leaves room for "-management" in the 63 characters of a DNS label. A hash keeps
long names with the same beginning distinct.
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

{{/* Labels of an object: (list . LABELS...). The chart's own take precedence over LABELS, and those over commonLabels. */}}
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

{{/* Labels of the test pod, which no Service and no PodDisruptionBudget must select. */}}
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

{{/* Environment variable of a setting. Names with capital letters are unchanged: logger names contain them. */}}
{{- define "comfy-gateway.variable" -}}
{{- regexMatch "[A-Z]" . | ternary . (upper . | replace "." "_" | replace "-" "_") -}}
{{- end -}}

{{/* Value of a setting as text: entries of a list are separated by commas. toJson does not write large numbers as 1e+06. */}}
{{- define "comfy-gateway.text" -}}
{{- if kindIs "slice" . -}}
{{- range $i, $entry := . }}{{ if $i }},{{ end }}{{ include "comfy-gateway.text" $entry }}{{ end -}}
{{- else -}}
{{- kindIs "string" . | ternary . (toJson .) -}}
{{- end -}}
{{- end -}}

{{/* "true" if comfy.auth is none: a ComfyUI without keys. */}}
{{- define "comfy-gateway.keyless" -}}
{{- $auth := get .Values.settings "comfy.auth" -}}
{{- range .Values.extraEnv -}}
{{- if eq .name "COMFY_AUTH" -}}{{- $auth = .value -}}{{- end -}}
{{- end -}}
{{- if eq (toString $auth) "none" -}}true{{- end -}}
{{- end -}}

{{/* "true" if the chart mounts the key: a key is sent, and it does not come from another source. */}}
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

{{/* Paths that docs: true adds to a route: exact paths, and prefixes. */}}
{{- define "comfy-gateway.docsPaths" -}}
exact: [/v3/api-docs, /v3/api-docs.yaml, /v3/api-docs/swagger-config, /swagger-ui.html]
prefix: [/swagger-ui]
{{- end -}}

{{/* Paths that page: true adds to a route: exact paths, and prefixes. */}}
{{- define "comfy-gateway.pagePaths" -}}
exact: [/, /api/prompt/history]
prefix: [/page, /webjars/uplot]
{{- end -}}
