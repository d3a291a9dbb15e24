{{- define "isotherm.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "isotherm.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "isotherm.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "isotherm.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "isotherm.serviceAccountName" -}}
{{- default (ternary (include "isotherm.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- /* An image of Isotherm. Takes root and image. */}}
{{- define "isotherm.image" -}}
{{- $root := .root }}
{{- $repository := list $root.Values.image.registry .image.repository | compact | join "/" }}
{{- if .image.digest }}
{{- printf "%s@%s" $repository .image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (coalesce .image.tag $root.Values.image.tag $root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- /* An image of somebody else. */}}
{{- define "isotherm.foreignImage" -}}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository .tag }}
{{- end }}
{{- end }}

{{- /* What selects a component's pods. Takes root and component. */}}
{{- define "isotherm.selector" -}}
app.kubernetes.io/name: {{ include "isotherm.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- /* Labels of an object. Takes root and component. */}}
{{- define "isotherm.labels" -}}
{{- $labels := include "isotherm.selector" . | fromYaml }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") }}
{{- $_ := set $labels "app.kubernetes.io/version" .root.Chart.AppVersion }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- $_ := set $labels "app.kubernetes.io/part-of" "isotherm" }}
{{- toYaml (merge $labels .root.Values.commonLabels) }}
{{- end }}

{{- /* Metadata of an object. Takes root, component and, when it differs from the component, suffix. */}}
{{- define "isotherm.metadata" -}}
name: {{ include "isotherm.fullname" .root }}-{{ default .component .suffix }}
namespace: {{ .root.Release.Namespace }}
labels: {{- include "isotherm.labels" . | nindent 2 }}
{{- end }}

{{- /* Metadata of a component's pods. Takes root, component, pod and metricsPort (0: no metrics). */}}
{{- define "isotherm.podMetadata" -}}
{{- $pod := mergeOverwrite (deepCopy .root.Values.pod) (deepCopy .pod) }}
{{- $annotations := default dict $pod.annotations }}
{{- if and .metricsPort .root.Values.metrics.podAnnotations }}
{{- $annotations = merge (dict "prometheus.io/scrape" "true" "prometheus.io/port" (toString .metricsPort) "prometheus.io/path" "/metrics") $annotations }}
{{- end }}
{{- if .root.Values.credentials.given }}
{{- $_ := set $annotations "isotherm/given-credentials" (toJson .root.Values.credentials.given | sha256sum | trunc 16) }}
{{- end }}
labels: {{- merge (include "isotherm.selector" . | fromYaml) .root.Values.commonLabels (default dict $pod.labels) | toYaml | nindent 2 }}
{{- with $annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* What the specification of every pod has. Takes root, pod, user (its numeric id) and, for a pod that talks to the API
server, serviceAccount. */}}
{{- define "isotherm.podSpec" -}}
{{- $pod := mergeOverwrite (deepCopy .root.Values.pod) (deepCopy .pod) }}
serviceAccountName: {{ default (include "isotherm.serviceAccountName" .root) .serviceAccount }}
automountServiceAccountToken: {{ not (empty .serviceAccount) }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "affinity" "nodeSelector" "priorityClassName" "runtimeClassName" "tolerations" }}
{{- with get $pod $key }}
{{ $key }}: {{- if kindIs "string" . }} {{ . }}{{ else }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Security of a container. Takes root and says whether it is one of the services, or nothing of it. */}}
{{- define "isotherm.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: {{ not (and .service .root.Values.development.writableFilesystem) }}
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* Environment variables from maps of names and values; a later map goes before an earlier one. */}}
{{- define "isotherm.env" -}}
{{- $all := dict }}
{{- range . }}
{{- $all = mergeOverwrite $all (deepCopy .) }}
{{- end }}
{{- range $name, $value := $all }}
{{- /* Helm reads numbers as floating point, whose text has an exponent from a million on. */}}
{{- if and (kindIs "float64" $value) (eq (floor $value) $value) }}
{{- $value = int64 $value }}
{{- end }}
- name: {{ $name }}
  value: {{ toString $value | quote }}
{{- end }}
{{- end }}

{{- define "isotherm.logEnv" -}}
LOG_LEVEL: {{ .Values.log.level }}
LOG_FORMAT: {{ .Values.log.format }}
{{- end }}

{{- define "isotherm.secretName" -}}
{{- default (printf "%s-credentials" (include "isotherm.fullname" .)) .Values.credentials.existingSecret }}
{{- end }}

{{- /* A volume with some keys of the credentials. Takes root and keys. */}}
{{- define "isotherm.secretVolume" -}}
- name: credentials
  secret:
    secretName: {{ include "isotherm.secretName" .root }}
    defaultMode: 0440
    items:
    {{- range .keys }}
    - {key: {{ . }}, path: {{ . }}}
    {{- end }}
{{- end }}

{{- define "isotherm.secretMount" -}}
- {name: credentials, mountPath: /run/secrets/isotherm, readOnly: true}
{{- end }}

{{- /* How a service reaches MySQL. Takes root, user and key (of the password). */}}
{{- define "isotherm.mysqlEnv" -}}
{{- include "isotherm.mysqlHostEnv" .root }}
MYSQL_USER: {{ .user }}
MYSQL_PASSWORD_FILE: /run/secrets/isotherm/{{ .key }}
{{- end }}

{{- define "isotherm.mysqlHostEnv" -}}
{{- if .Values.mysql.enabled -}}
MYSQL_HOST: {{ include "isotherm.fullname" . }}-mysql
MYSQL_PORT: 3306
{{- else -}}
MYSQL_HOST: {{ .Values.mysql.external.host }}
MYSQL_PORT: {{ .Values.mysql.external.port }}
{{- if .Values.mysql.external.caSecret }}
MYSQL_SSL_CA: /run/secrets/mysql-ca/ca.crt
{{- end }}
{{- end }}
MYSQL_DATABASE: {{ .Values.mysql.database }}
{{ end }}

{{- define "isotherm.mysqlCaVolume" -}}
{{- if and (not .Values.mysql.enabled) .Values.mysql.external.caSecret }}
- name: mysql-ca
  secret: {secretName: {{ .Values.mysql.external.caSecret }}, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
{{- end }}

{{- define "isotherm.mysqlCaMount" -}}
{{- if and (not .Values.mysql.enabled) .Values.mysql.external.caSecret }}
- {name: mysql-ca, mountPath: /run/secrets/mysql-ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "isotherm.mysqlUser" -}}
{{- ternary (printf "isotherm_%s" .name) (get .root.Values.mysql.external (printf "%sUser" .name)) .root.Values.mysql.enabled }}
{{- end }}

{{- /* The replica set's members as host:port, separated by commas. */}}
{{- define "isotherm.mongodbHosts" -}}
{{- $hosts := list }}
{{- $service := printf "%s-mongodb" (include "isotherm.fullname" .) }}
{{- range $i := until (int .Values.mongodb.members) }}
{{- $hosts = append $hosts (printf "%s-%d.%s.%s.svc:27017" $service $i $service $.Release.Namespace) }}
{{- end }}
{{- join "," $hosts }}
{{- end }}

{{- /* An exporter beside a database: a container of its pod. Takes root, values (of the exporter), name, port, and args and
env as texts. It is not asked whether it is ready: the database is not to be taken for missing when its exporter is. */}}
{{- define "isotherm.exporter" -}}
- name: {{ .name }}
  image: {{ include "isotherm.foreignImage" .values.image }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: {{- concat .args .values.args | toYaml | nindent 2 }}
  {{- with .env }}
  env: {{- toYaml . | nindent 2 }}
  {{- end }}
  ports:
  - {name: metrics, containerPort: {{ .port }}}
  {{- include "isotherm.containerSecurity" . | nindent 2 }}
  livenessProbe:
    tcpSocket: {port: metrics}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  resources: {{- toYaml .values.resources | nindent 4 }}
  {{- with .mounts }}
  volumeMounts: {{- . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* Probes of a service of ours on its metrics port. */}}
{{- define "isotherm.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end }}

{{- /* Eight digits that change with a text: in the name of a Job, whose specification cannot be changed. */}}
{{- define "isotherm.hash" -}}
{{- sha256sum . | trunc 8 }}
{{- end }}

{{- /* A Job named by the hash of its specification. Takes root, component, suffix and spec (a text). */}}
{{- define "isotherm.job" -}}
apiVersion: batch/v1
kind: Job
metadata: {{- include "isotherm.metadata" (dict "root" .root "component" .component "suffix" (printf "%s-%s" .suffix (include "isotherm.hash" .spec))) | nindent 2 }}
spec: {{- .spec | nindent 2 }}
{{- end }}
