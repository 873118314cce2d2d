{{/* Refuses values that fit the schema but not each other, or that would start no pod. */}}
{{- define "comfy-gateway.validate" -}}
{{- include "comfy-gateway.validateKey" . -}}
{{- include "comfy-gateway.validateSettings" . -}}
{{- include "comfy-gateway.validateTimes" . -}}
{{- include "comfy-gateway.validateRedisPassword" . -}}
{{- include "comfy-gateway.validateSecrets" . -}}
{{- include "comfy-gateway.validateFleet" . -}}
{{- include "comfy-gateway.validateResources" . -}}
{{- with .Values.autoscaling -}}
{{- if gt (int64 .minReplicas) (int64 .maxReplicas) -}}
{{- printf "autoscaling.minReplicas is %v, which is more than autoscaling.maxReplicas, %v" .minReplicas .maxReplicas | fail -}}
{{- end -}}
{{- if and .enabled (not .targetCPUUtilizationPercentage) (not .metrics) -}}
{{- fail "autoscaling.enabled needs autoscaling.targetCPUUtilizationPercentage or autoscaling.metrics" -}}
{{- end -}}
{{- end -}}
{{- with .Values.service -}}
{{- if and (ne .type "LoadBalancer") (or .loadBalancerClass .loadBalancerSourceRanges) -}}
{{- fail "service.loadBalancerClass and service.loadBalancerSourceRanges need service.type LoadBalancer" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The key is in a Secret alone: it would else stand in the Deployment, in Helm's record of the release, and in whatever
repository holds the values. The key itself is in no message.
*/}}
{{- define "comfy-gateway.validateKey" -}}
{{- $advice := "Put the key in a Secret, and name that in apiKey.existingSecret" -}}
{{- range $name, $value := .Values.settings -}}
{{- if or (contains "comfyapikey" (include "comfy-gateway.canonical" $name)) (contains "comfyapikey" (include "comfy-gateway.canonical" (toString $value))) -}}
{{- printf "settings: %s is or holds the key's setting. %s" $name $advice | fail -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $name := include "comfy-gateway.canonical" .name -}}
{{- $isFile := and (eq $name "comfyapikeyfile") (hasPrefix "/" (.value | default "")) -}}
{{- $isSecret := and (eq $name "comfyapikey") .valueFrom (hasKey (.valueFrom | default dict) "secretKeyRef") -}}
{{- if and (contains "comfyapikey" $name) (not (or $isFile $isSecret)) -}}
{{- printf "extraEnv: %s takes the key from a Secret alone, with valueFrom.secretKeyRef. %s" .name $advice | fail -}}
{{- end -}}
{{- if contains "comfyapikey" (include "comfy-gateway.canonical" (.value | default "")) -}}
{{- printf "extraEnv: the value of %s holds the key's setting. %s" .name $advice | fail -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraArgs -}}
{{- if contains "comfyapikey" (include "comfy-gateway.canonical" .) -}}
{{- printf "extraArgs: an argument holds the key's setting. %s" $advice | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Names of the gateway's own settings but for the key's and the ports. */}}
{{- define "comfy-gateway.ownSettings" -}}
- comfy.allow-insecure
- comfy.auth
- comfy.base-url
- comfy.connect-timeout
- comfy.deadline
- gateway.allowed-origins
- gateway.cooldown
- gateway.fleet
- gateway.fresh-for
- gateway.max-cooldown
- gateway.max-waiting
- gateway.events.max-listeners
- gateway.name
- gateway.page.enabled
- gateway.refresh-floor
- gateway.stale-if-error
- gateway.stale-while-revalidate
{{- end -}}

{{/* A name that is mistyped would else be found by a pod that does not start, or by nobody. */}}
{{- define "comfy-gateway.validateSettings" -}}
{{- $own := include "comfy-gateway.ownSettings" . | fromYamlArray -}}
{{- /* Spring takes GATEWAY_FRESH_FOR and GATEWAY_FRESHFOR */ -}}
{{- $variables := list -}}
{{- range concat $own (list "comfy.api-key" "comfy.api-key-file") -}}
{{- $variables = append $variables (include "comfy-gateway.variable" .) -}}
{{- $variables = append $variables (include "comfy-gateway.variable" (. | replace "-" "")) -}}
{{- end -}}
{{- /* Ports and paths are what probes, Services and routes name; a document of settings could hold anything */ -}}
{{- $charts := list "serverport" "serverservletcontextpath" "springmvcservletpath" "managementserverport" "managementserverbasepath" "managementendpointswebbasepath" "springapplicationjson" -}}
{{- $seen := dict -}}
{{- if include "comfy-gateway.hasKey" . -}}{{- $_ := set $seen "COMFY_API_KEY_FILE" true -}}{{- end -}}
{{- range $name, $value := .Values.settings -}}
{{- if has (include "comfy-gateway.canonical" $name) $charts -}}
{{- printf "settings: %s cannot be set here" $name | fail -}}
{{- else if not (or (has $name $own) (regexMatch "^(info|logging|management|otel|server|spring|springdoc)\\.." $name) (has $name (list "debug" "trace" "java.tool.options"))) -}}
{{- printf "settings: there is no setting %s" $name | fail -}}
{{- end -}}
{{- $_ := set $seen (include "comfy-gateway.variable" $name) true -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $name := include "comfy-gateway.canonical" .name -}}
{{- if has $name $charts -}}
{{- printf "extraEnv: %s cannot be set here" .name | fail -}}
{{- else if and (regexMatch "^(comfy|gateway)[._-]" (lower .name)) (not (has (include "comfy-gateway.variable" .name) $variables)) -}}
{{- printf "extraEnv: there is no setting %s" .name | fail -}}
{{- else if hasKey $seen (upper .name) -}}
{{- printf "extraEnv: %s is set twice" .name | fail -}}
{{- end -}}
{{- $_ := set $seen (upper .name) true -}}
{{- end -}}
{{- range .Values.extraArgs -}}
{{- $name := regexFind "^--[^=]+" . | trimPrefix "--" -}}
{{- if has (include "comfy-gateway.canonical" $name) $charts -}}
{{- printf "extraArgs: %s cannot be set here" $name | fail -}}
{{- else if regexMatch "^(comfy|gateway)[._-]" (lower $name) -}}
{{- printf "extraArgs: %s belongs to settings" $name | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A request in flight is answered before the pod ends. */}}
{{- define "comfy-gateway.validateTimes" -}}
{{- $deadline := include "comfy-gateway.deadlineSeconds" . | int64 -}}
{{- $shutdown := include "comfy-gateway.shutdownSeconds" . | int64 -}}
{{- if lt $shutdown $deadline -}}
{{- printf "spring.lifecycle.timeout-per-shutdown-phase is %ds, which is less than comfy.deadline, %ds" $shutdown $deadline | fail -}}
{{- end -}}
{{- end -}}

{{- define "comfy-gateway.validateResources" -}}
{{- $requests := .Values.resources.requests | default dict -}}
{{- $limits := .Values.resources.limits | default dict -}}
{{- range $name, $limit := $limits -}}
{{- with get $requests $name -}}
{{- if lt (include "comfy-gateway.bytes" $limit | float64) (include "comfy-gateway.bytes" . | float64) -}}
{{- printf "resources.limits.%s is %v, which is less than resources.requests.%s, %v" $name $limit $name . | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $limits.memory -}}
{{- if lt (include "comfy-gateway.bytes" . | float64) 268435456.0 -}}
{{- printf "resources.limits.memory is %v; the gateway needs 256Mi" . | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* As for the key: a password is in a Secret alone, and in no message. */}}
{{- define "comfy-gateway.validateRedisPassword" -}}
{{- $advice := "Put it in a Secret, and name that in fleet.redis.existingSecret" -}}
{{- $setting := "springdataredis(sentinel)?password" -}}
{{- $url := "(?i)rediss?://[^/]*@" -}}
{{- range $name, $value := .Values.settings -}}
{{- if or (regexMatch $setting (include "comfy-gateway.canonical" $name)) (regexMatch $setting (include "comfy-gateway.canonical" (toString $value))) (regexMatch $url (toString $value)) -}}
{{- printf "settings: %s is or holds a password of Redis. %s" $name $advice | fail -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $value := .value | default "" -}}
{{- $isSecret := hasKey (.valueFrom | default dict) "secretKeyRef" -}}
{{- if or (and (regexMatch $setting (include "comfy-gateway.canonical" .name)) (not $isSecret)) (regexMatch $setting (include "comfy-gateway.canonical" $value)) (regexMatch $url $value) -}}
{{- printf "extraEnv: %s is or holds a password of Redis. %s" .name $advice | fail -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraArgs -}}
{{- if or (regexMatch $setting (include "comfy-gateway.canonical" .)) (regexMatch $url .) -}}
{{- printf "extraArgs: an argument holds a password of Redis. %s" $advice | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* As for the key: every other secret is in a Secret alone, and in no message. */}}
{{- define "comfy-gateway.validateSecrets" -}}
{{- $advice := "Put it in a Secret, and take it from there by extraEnv with valueFrom.secretKeyRef" -}}
{{- range $name, $value := .Values.settings -}}
{{- if include "comfy-gateway.isSecret" (dict "name" $name "value" (toString $value)) -}}
{{- printf "settings: %s is or holds a secret. %s" $name $advice | fail -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $isSecret := include "comfy-gateway.isSecret" (dict "name" .name "value" (.value | default (ternary "taken" "" (hasKey . "valueFrom")))) -}}
{{- if and $isSecret (not (hasKey (.valueFrom | default dict) "secretKeyRef")) -}}
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
"true" where a value is a secret by its name, or holds one: an option of such a name, a URL with a user, a private key.
A reference to another variable is none, nor is a file, an address, or a logger's level.
*/}}
{{- define "comfy-gateway.isSecret" -}}
{{- $word := "password|passwd|passphrase|secret|token|credential|(api|access|account|application|auth|encryption|license|private|shared|signing)key|authorization|otlp[a-z]*headers" -}}
{{- $value := regexReplaceAll "\\$\\{[^{}:]+\\}" .value "" -}}
{{- $options := regexFindAll "(-D|--)[A-Za-z0-9._-]+=[^ \\t\\r\\n]+" $value -1 -}}
{{- range prepend $options (printf "--%s=%s" .name (nospace $value)) -}}
{{- $option := regexFind "^[^=]*" . -}}
{{- $content := trimPrefix "=" (trimPrefix $option .) | trimAll "\"'" -}}
{{- $name := include "comfy-gateway.canonical" (regexReplaceAll "^(-D|--)" $option "") -}}
{{- $isFile := or (regexMatch "^(file|classpath):" $content) (and (regexMatch "(file|location|path|dir)$" $name) (hasPrefix "/" $content)) -}}
{{- $isAddress := and (regexMatch "(uri|url|endpoint)$" $name) (regexMatch "^https?:" $content) -}}
{{- if and (regexMatch $word $name) $content (not (or $isFile $isAddress (hasPrefix "logginglevel" $name))) -}}true{{- end -}}
{{- end -}}
{{- if regexMatch "://[^/ \\t\\r\\n]*[^/:@ \\t\\r\\n][^/ \\t\\r\\n]*@|-----BEGIN [A-Z ]*PRIVATE KEY-----" $value -}}true{{- end -}}
{{- end -}}

{{- define "comfy-gateway.validateFleet" -}}
{{- if .Values.fleet.enabled -}}
{{- with .Values.fleet.redis -}}
{{- if not .nodes -}}
{{- fail "fleet.enabled needs fleet.redis.nodes" -}}
{{- end -}}
{{- range $i, $node := .nodes -}}
{{- /* The entry may be a URL with a password */ -}}
{{- $isNode := regexMatch "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?:[1-9][0-9]{0,4}$" $node -}}
{{- if or (not $isNode) (gt (regexFind "[0-9]+$" $node | int) 65535) -}}
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
{{- include "comfy-gateway.validateFleetSettings" . -}}
{{- include "comfy-gateway.validateFleetTimes" . -}}
{{- end -}}
{{- end -}}

{{/* One of two places that say where Redis is would win without a word. Its timeouts are in no other place. */}}
{{- define "comfy-gateway.validateFleetSettings" -}}
{{- $places := list -}}
{{- range $name, $value := .Values.settings -}}{{- $places = append $places (list "settings" $name) -}}{{- end -}}
{{- range .Values.extraEnv -}}{{- $places = append $places (list "extraEnv" .name) -}}{{- end -}}
{{- range .Values.extraArgs -}}{{- $places = append $places (list "extraArgs" (regexFind "^--[^=]+" . | trimPrefix "--")) -}}{{- end -}}
{{- range $places -}}
{{- $name := include "comfy-gateway.canonical" (last .) -}}
{{- $isTimeout := has $name (list "springdataredistimeout" "springdataredisconnecttimeout") -}}
{{- $isCharts := or (hasPrefix "springdataredis" $name) (has $name (list "gatewayfleet" "springsslbundlepemfleettruststorecertificate")) -}}
{{- if and $isCharts (not $isTimeout) -}}
{{- printf "%s: %s cannot be set beside fleet.enabled" (first .) (last .) | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The gateway checks it too, but in a pod that does not start. */}}
{{- define "comfy-gateway.validateFleetTimes" -}}
{{- $given := include "comfy-gateway.given" . | fromJson -}}
{{- $deadline := include "comfy-gateway.deadline" . -}}
{{- $most := divf (include "comfy-gateway.milliseconds" (dict "name" "comfy.deadline" "value" $deadline) | float64) 4 -}}
{{- range list "spring.data.redis.timeout" "spring.data.redis.connect-timeout" -}}
{{- $value := get $given (include "comfy-gateway.canonical" .) | default "250ms" -}}
{{- if gt (include "comfy-gateway.milliseconds" (dict "name" . "value" $value) | float64) $most -}}
{{- printf "%s is %s, which is more than a quarter of comfy.deadline, %s" . $value $deadline | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}
