{{/* Rejects secrets, and values that conform to the schema but contradict each other. */}}
{{- define "comfy-gateway.validate" -}}
{{- /* The newest value: with --reuse-values, values that the older chart did not have are missing */ -}}
{{- if not (hasKey .Values "fullnameOverride") -}}
{{- fail "values of this chart are missing: upgrade from an older one with --reset-then-reuse-values in place of --reuse-values" -}}
{{- end -}}
{{- include "comfy-gateway.validateSecrets" . -}}
{{- include "comfy-gateway.validateNames" . -}}
{{- if .Values.fleet.enabled -}}
{{- include "comfy-gateway.validateFleet" . -}}
{{- end -}}
{{- $memory := include "comfy-gateway.text" (dig "limits" "memory" "" .Values.resources) -}}
{{- if regexMatch "^([0-9]{1,8}|[0-9]{1,5}[Kk]i?|[0-9]{1,2}Mi?)$" $memory -}}
{{- printf "resources.limits.memory is %s; with less than 100M no pod starts" $memory | fail -}}
{{- end -}}
{{- end -}}

{{/*
Rejects settings that the chart itself sets or relies on, since one of two values would silently be ignored: ports, paths
and protocols of probes and Services, and the Redis of a fleet, except its timeouts. Also rejects
spring.application.json, which could contain the key.
*/}}
{{- define "comfy-gateway.validateNames" -}}
{{- $fixed := "(?i)^((management[._-])?server[._-](port|http2[._-]enabled|base[._-]?path|servlet[._-]context[._-]?path)|management[._-]endpoints[._-]web[._-]base[._-]?path|spring[._-](application[._-]json|mvc[._-]servlet[._-]path))$" -}}
{{- $fleets := "(?i)^(gateway[._-]fleet|spring[._-]data[._-]redis[._-].*|spring[._-]ssl[._-]bundle[._-]pem[._-]fleet[._-].*)$" -}}
{{- $names := keys .Values.settings | sortAlpha -}}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end -}}
{{- range .Values.extraArgs -}}
{{- $name := regexFind "^[^=]*" . | trimPrefix "--" -}}
{{- if regexMatch "(?i)^(comfy|gateway)[._-]" $name -}}
{{- printf "extraArgs: %s belongs to settings" $name | fail -}}
{{- end -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- range $names -}}
{{- if regexMatch $fixed . -}}
{{- printf "%s cannot be set: the chart relies on its value" . | fail -}}
{{- else if and $.Values.fleet.enabled (regexMatch $fleets .) (not (regexMatch "(?i)timeout$" .)) -}}
{{- printf "%s cannot be set beside fleet.enabled" . | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Rejects secrets in values. They would otherwise be stored in the Deployment, in Helm's release record, and in the
repository of the values. No message contains the secret itself.
*/}}
{{- define "comfy-gateway.validateSecrets" -}}
{{- $advice := "Put it in a Secret, and take it from there by extraEnv with valueFrom.secretKeyRef" -}}
{{- range $name, $value := .Values.settings -}}
{{- if include "comfy-gateway.isSecret" (dict "name" $name "value" (include "comfy-gateway.text" $value)) -}}
{{- printf "settings: %s is or holds a secret. %s" $name $advice | fail -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $fromSecret := hasKey (.valueFrom | default dict) "secretKeyRef" -}}
{{- $value := .value | default (hasKey . "valueFrom" | ternary "from elsewhere" "") | toString -}}
{{- if and (not $fromSecret) (include "comfy-gateway.isSecret" (dict "name" .name "value" $value)) -}}
{{- printf "extraEnv: %s is or holds a secret. %s" .name $advice | fail -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraArgs -}}
{{- if include "comfy-gateway.isSecret" (dict "name" "" "value" .) -}}
{{- printf "extraArgs: an argument holds a secret. %s" $advice | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
"true" if the name indicates a secret, or the value contains one: an option with such a name, a URL with a user, a private
key. Not secrets are references to variables, names and locations of secrets, addresses, true, false, and log levels.
*/}}
{{- define "comfy-gateway.isSecret" -}}
{{- $word := "(?i)passwd|password|passphrase|secret|token|credential|(api|access|account|application|auth|encryption|license|private|shared|signing)[._-]?key|authorization|otlp.*headers" -}}
{{- $value := regexReplaceAll "\\$\\{[^{}:]+\\}" .value "" -}}
{{- $options := regexFindAll "(-D|--)[A-Za-z0-9._-]+=[^ \\t\\r\\n]+" $value -1 -}}
{{- range prepend $options (printf "--%s=%s" .name (nospace $value)) -}}
{{- $name := regexFind "^[^=]*" . -}}
{{- $content := trimPrefix "=" (trimPrefix $name .) | trimAll "\"'" -}}
{{- $isPlace := or (regexMatch "^(file|classpath):" $content) (regexMatch "(?i)name$" $name) (and (regexMatch "(?i)(file|location|path|dir)$" $name) (contains "/" $content)) -}}
{{- $isAddress := and (regexMatch "(?i)(uri|url|endpoint)$" $name) (regexMatch "^https?:" $content) -}}
{{- $isSwitch := or (has $content (list "true" "false")) (regexMatch "(?i)^--logging[._]level" $name) -}}
{{- if and (regexMatch $word $name) $content (not (or $isPlace $isAddress $isSwitch)) -}}true{{- end -}}
{{- end -}}
{{- if regexMatch "://[^/ \\t\\r\\n]*[^/:@ \\t\\r\\n][^/ \\t\\r\\n]*@|-----BEGIN [A-Z ]*PRIVATE KEY-----" $value -}}true{{- end -}}
{{- end -}}

{{- define "comfy-gateway.validateFleet" -}}
{{- with .Values.fleet.redis -}}
{{- if not .nodes -}}
{{- fail "fleet.enabled needs fleet.redis.nodes" -}}
{{- end -}}
{{- range $i, $node := .nodes -}}
{{- /* Not in the schema, whose message would contain the entry: it may be a URL with a password */ -}}
{{- if not (regexMatch "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?:[1-9][0-9]{0,4}$" $node) -}}
{{- printf "fleet.redis.nodes[%d] is not host:port, such as redis.example.com:6379" $i | fail -}}
{{- end -}}
{{- end -}}
{{- if and (eq .mode "standalone") (gt (len .nodes) 1) -}}
{{- printf "fleet.redis.nodes has %d entries; fleet.redis.mode standalone takes one" (len .nodes) | fail -}}
{{- end -}}
{{- if and (eq .mode "sentinel") (not .sentinelMaster) -}}
{{- fail "fleet.redis.mode sentinel needs fleet.redis.sentinelMaster" -}}
{{- end -}}
{{- if and (ne .mode "sentinel") (or .sentinelMaster .sentinelPasswordEntry) -}}
{{- fail "fleet.redis.sentinelMaster and fleet.redis.sentinelPasswordEntry need fleet.redis.mode sentinel" -}}
{{- end -}}
{{- if and (or .username .sentinelPasswordEntry) (not .existingSecret) -}}
{{- fail "fleet.redis.username and fleet.redis.sentinelPasswordEntry need fleet.redis.existingSecret" -}}
{{- end -}}
{{- if and .tls.existingSecret (not .tls.enabled) -}}
{{- fail "fleet.redis.tls.existingSecret needs fleet.redis.tls.enabled" -}}
{{- end -}}
{{- end -}}
{{- end -}}
