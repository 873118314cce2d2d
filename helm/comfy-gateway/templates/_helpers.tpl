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

{{/* Name of a setting however it is spelt: all spellings of comfy.api-key become comfyapikey. */}}
{{- define "comfy-gateway.canonical" -}}
{{- regexReplaceAll "[^a-z0-9]" (lower .) "" -}}
{{- end -}}

{{/* Environment variable of a setting. */}}
{{- define "comfy-gateway.variable" -}}
{{- upper . | replace "." "_" | replace "-" "_" -}}
{{- end -}}

{{/*
Values that the chart gives to settings, by their canonical names: {"comfydeadline": "2s"}. A number is a float64 here,
which would become 1e+06.
*/}}
{{- define "comfy-gateway.given" -}}
{{- $given := dict -}}
{{- range $name, $value := .Values.settings -}}
{{- $_ := set $given (include "comfy-gateway.canonical" $name) (ternary (int64 $value) $value (kindIs "float64" $value) | toString) -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $_ := set $given (include "comfy-gateway.canonical" .name) (.value | default "") -}}
{{- end -}}
{{- toJson $given -}}
{{- end -}}

{{/* "true" where the chart mounts the key: not before a ComfyUI that has none, nor where it comes another way. */}}
{{- define "comfy-gateway.hasKey" -}}
{{- $given := include "comfy-gateway.given" . | fromJson -}}
{{- $elsewhere := or (hasKey $given "comfyapikey") (hasKey $given "comfyapikeyfile") -}}
{{- if not (or $elsewhere (eq (get $given "comfyauth") "none")) -}}true{{- end -}}
{{- end -}}

{{/* Whole milliseconds, rounded up, of a duration such as 2500ms, 2s or PT2S; a plain number is milliseconds, as in Spring. */}}
{{- define "comfy-gateway.milliseconds" -}}
{{- $text := lower .value -}}
{{- $units := dict "ns" 1e-6 "us" 0.001 "ms" 1 "" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 -}}
{{- if regexMatch "^\\+?[0-9]+(ns|us|ms|s|m|h|d)?$" $text -}}
{{- $number := regexFind "[0-9]+" $text -}}
{{- ceil (mulf (float64 $number) (get $units (regexFind "[a-z]*$" $text))) | int64 -}}
{{- else if and (ne $text "pt") (regexMatch "^pt([0-9]+m)?([0-9]+(\\.[0-9]+)?s)?$" $text) -}}
{{- $minutes := regexFind "[0-9]+m" $text | trimSuffix "m" | default "0" -}}
{{- $seconds := regexFind "[0-9.]+s" $text | trimSuffix "s" | default "0" -}}
{{- ceil (addf (mulf (float64 $minutes) 60000) (mulf (float64 $seconds) 1000)) | int64 -}}
{{- else -}}
{{- printf "%s is %s, which is no duration such as 2500ms" .name .value | fail -}}
{{- end -}}
{{- end -}}

{{- define "comfy-gateway.seconds" -}}
{{- ceil (divf (include "comfy-gateway.milliseconds" . | float64) 1000) | int64 -}}
{{- end -}}

{{- define "comfy-gateway.deadline" -}}
{{- get (include "comfy-gateway.given" . | fromJson) "comfydeadline" | default "2500ms" -}}
{{- end -}}

{{/* Seconds that the gateway takes at most for a fetch. */}}
{{- define "comfy-gateway.deadlineSeconds" -}}
{{- include "comfy-gateway.seconds" (dict "name" "comfy.deadline" "value" (include "comfy-gateway.deadline" .)) -}}
{{- end -}}

{{/*
Seconds for which Spring waits at the end for requests in flight: its own 30, or a little more than the deadline where
that is long.
*/}}
{{- define "comfy-gateway.shutdownSeconds" -}}
{{- $given := include "comfy-gateway.given" . | fromJson -}}
{{- with get $given "springlifecycletimeoutpershutdownphase" -}}
{{- include "comfy-gateway.seconds" (dict "name" "spring.lifecycle.timeout-per-shutdown-phase" "value" .) -}}
{{- else -}}
{{- max 30 (add (include "comfy-gateway.deadlineSeconds" .) 2) -}}
{{- end -}}
{{- end -}}

{{/* Bytes of a quantity such as 256Mi. */}}
{{- define "comfy-gateway.bytes" -}}
{{- $powers := dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 -}}
{{- $binary := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9.]+([eE][+-]?[0-9]+)?" $text -}}
{{- mulf (float64 $number) (get (merge $powers $binary) (trimPrefix $number $text)) -}}
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
exact: [/v3/api-docs, /v3/api-docs.yaml, /v3/api-docs/swagger-config, /swagger-ui.html]
prefix: [/swagger-ui]
{{- end -}}

{{/* Paths of the page of the queue and its record. */}}
{{- define "comfy-gateway.pagePaths" -}}
exact: [/, /api/prompt/history]
prefix: [/page, /webjars/uplot]
{{- end -}}
