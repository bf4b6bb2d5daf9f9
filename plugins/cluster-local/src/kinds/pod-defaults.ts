import type { Container, PodSpec, PodTemplate, Probe } from '@tappaas/sdk';

/** The scheduler of pods that name none. */
export const schedulerName = 'tappaas';

/** Sets kube-apiserver's defaults in a pod's spec, which need not be complete; idempotent. */
export function defaultPodSpec(spec: Partial<PodSpec>): void {
  spec.restartPolicy ??= 'Always';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.schedulerName ??= schedulerName;
  spec.securityContext ??= {};
  spec.enableServiceLinks ??= true;
  if (spec.serviceAccountName !== undefined) spec.serviceAccount ??= spec.serviceAccountName;
  else if (spec.serviceAccount !== undefined) spec.serviceAccountName = spec.serviceAccount;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) defaultContainer(container);
  for (const { configMap, secret, projected, downwardAPI } of spec.volumes ?? []) {
    for (const files of [configMap, secret, projected, downwardAPI]) if (files) files.defaultMode ??= 0o644;
  }
}

/** Sets the defaults in the pod template of a workload. */
export function defaultPodTemplate(template: PodTemplate): void {
  if (template.spec) defaultPodSpec(template.spec);
}

function defaultContainer(container: Container): void {
  container.imagePullPolicy ??= pullPolicyOf(container.image);
  container.terminationMessagePath ??= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  container.resources ??= {};
  const { limits, requests } = container.resources;
  if (limits && Object.keys(limits).some((name) => requests?.[name] === undefined))
    container.resources.requests = { ...limits, ...requests };
  for (const port of container.ports ?? []) port.protocol ??= 'TCP';
  for (const { valueFrom } of container.env ?? []) if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ??= 'v1';
  for (const probe of [container.readinessProbe, container.livenessProbe, container.startupProbe]) if (probe) defaultProbe(probe);
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
  if (probe.httpGet) {
    probe.httpGet.path ??= '/';
    probe.httpGet.scheme ??= 'HTTP';
  }
  if (probe.grpc) probe.grpc.service ??= '';
}

/** `Always` for the tag `latest` or no tag, `IfNotPresent` otherwise. */
function pullPolicyOf(image: string | undefined): 'Always' | 'IfNotPresent' {
  if (image === undefined || image.includes('@')) return 'IfNotPresent';
  const name = image.slice(image.lastIndexOf('/') + 1);
  const tag = name.includes(':') ? name.slice(name.indexOf(':') + 1) : 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}
