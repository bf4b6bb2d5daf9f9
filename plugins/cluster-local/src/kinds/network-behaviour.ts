import type { Denial, Immutable, IngressBackend, KindBehaviour } from '@tappaas/sdk';
import type { EndpointSlices, Ingresses, Services } from './handles.js';
import { invalid, required } from './pod-checks.js';

/**
 * Defaults and validation of services. Cluster IPs are not allocated: the proxy serves every service port on a loopback port of its own,
 * which the annotation `local.tappaas.dev/ports` names.
 */
export const serviceBehaviour: KindBehaviour<typeof Services> = {
  default({ spec }) {
    if (spec === undefined) return;
    spec.type ??= 'ClusterIP';
    spec.sessionAffinity ??= 'None';
    if (spec.type !== 'ExternalName') {
      spec.internalTrafficPolicy ??= 'Cluster';
      spec.ipFamilyPolicy ??= 'SingleStack';
      spec.ipFamilies ??= ['IPv4'];
    }
    if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') spec.externalTrafficPolicy ??= 'Cluster';
    for (const port of spec.ports ?? []) {
      port.protocol ??= 'TCP';
      port.targetPort ??= port.port;
    }
  },
  check({ spec }) {
    if (spec?.type === 'ExternalName') return spec.externalName ? [] : [required('spec.externalName', 'a host name')];
    const ports = spec?.ports ?? [];
    if (ports.length === 0 && spec?.clusterIP !== 'None') return [required('spec.ports', 'at least one port')];
    const denials: Denial[] = [];
    const names = new Set<string>();
    for (const [index, { name, port }] of ports.entries()) {
      const at = `spec.ports[${index}]`;
      if (port < 1 || port > 65_535) denials.push(invalid(`${at}.port`, 'expected 1 to 65535'));
      if (name === undefined && ports.length > 1) denials.push(required(`${at}.name`, 'a name, because there are several ports'));
      if (name !== undefined && names.has(name)) denials.push(invalid(`${at}.name`, `port name "${name}" is taken`));
      if (name !== undefined) names.add(name);
    }
    return denials;
  },
};

export const ingressBehaviour: KindBehaviour<typeof Ingresses> = {
  check({ spec }) {
    if (!spec?.defaultBackend && !spec?.rules?.length) return [required('spec', 'a defaultBackend or at least one rule')];
    const denials: Denial[] = [];
    for (const [index, rule] of (spec.rules ?? []).entries()) {
      for (const [at, { path, pathType, backend }] of (rule.http?.paths ?? []).entries()) {
        const field = `spec.rules[${index}].http.paths[${at}]`;
        if (pathType !== 'ImplementationSpecific' && !path?.startsWith('/')) denials.push(invalid(`${field}.path`, 'must begin with /'));
        denials.push(...checkBackend(backend, `${field}.backend`));
      }
    }
    if (spec.defaultBackend) denials.push(...checkBackend(spec.defaultBackend, 'spec.defaultBackend'));
    return denials;
  },
};

function checkBackend(backend: Immutable<IngressBackend>, field: string): Denial[] {
  if (backend.resource) return [invalid(`${field}.resource`, 'is not served here; name a service')];
  if (!backend.service?.name) return [required(`${field}.service.name`, 'the name of a service')];
  const { name, number } = backend.service.port ?? {};
  return (name === undefined) === (number === undefined) ? [invalid(`${field}.service.port`, 'expected either a name or a number')] : [];
}

export const endpointSliceBehaviour: KindBehaviour<typeof EndpointSlices> = {
  default(draft) {
    for (const port of draft.ports ?? []) {
      port.protocol ??= 'TCP';
      port.name ??= '';
    }
  },
};
