{{/* Environment variables of the fleet, as entries of the container's env. */}}
{{- define "comfy-gateway.fleetEnv" -}}
{{- $redis := .Values.fleet.redis -}}
- name: GATEWAY_FLEET
  value: redis
{{- if eq $redis.mode "standalone" }}
{{- $node := first $redis.nodes }}
- name: SPRING_DATA_REDIS_HOST
  value: {{ regexReplaceAll ":[0-9]+$" $node "" | quote }}
- name: SPRING_DATA_REDIS_PORT
  value: {{ regexFind "[0-9]+$" $node | quote }}
{{- else }}
{{- if eq $redis.mode "sentinel" }}
- name: SPRING_DATA_REDIS_SENTINEL_MASTER
  value: {{ $redis.sentinelMaster | quote }}
{{- end }}
- name: SPRING_DATA_REDIS_{{ upper $redis.mode }}_NODES
  value: {{ join "," $redis.nodes | quote }}
{{- end }}
{{- with $redis.username }}
- name: SPRING_DATA_REDIS_USERNAME
  value: {{ . | quote }}
{{- end }}
{{- if $redis.existingSecret }}
- name: SPRING_DATA_REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ $redis.existingSecret | quote }}
      key: {{ $redis.passwordEntry | quote }}
{{- end }}
{{- with $redis.sentinelPasswordEntry }}
- name: SPRING_DATA_REDIS_SENTINEL_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ $redis.existingSecret | quote }}
      key: {{ . | quote }}
{{- end }}
{{- if $redis.tls.enabled }}
- name: SPRING_DATA_REDIS_SSL_ENABLED
  value: "true"
{{- end }}
{{- if $redis.tls.existingSecret }}
- name: SPRING_DATA_REDIS_SSL_BUNDLE
  value: fleet
- name: SPRING_SSL_BUNDLE_PEM_FLEET_TRUSTSTORE_CERTIFICATE
  value: file:/etc/comfy-gateway/fleet-ca/{{ $redis.tls.caEntry }}
{{- end }}
{{- end -}}

{{/* "true" if the chart mounts the certificate authority of Redis. */}}
{{- define "comfy-gateway.hasFleetCa" -}}
{{- if and .Values.fleet.enabled .Values.fleet.redis.tls.existingSecret -}}true{{- end -}}
{{- end -}}

{{/* Distinct ports of Redis. Sentinels report the master only at run time, so its port is a value. */}}
{{- define "comfy-gateway.fleetPorts" -}}
{{- $redis := .Values.fleet.redis -}}
{{- $ports := list -}}
{{- range $redis.nodes -}}
{{- $ports = append $ports (regexFind "[0-9]+$" . | int) -}}
{{- end -}}
{{- if eq $redis.mode "sentinel" -}}
{{- $ports = append $ports (int $redis.sentinelMasterPort) -}}
{{- end -}}
{{- uniq $ports | toJson -}}
{{- end -}}
