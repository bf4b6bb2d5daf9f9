import type { Container, EnvVar, Immutable, Probe, RenderFacts } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';
import { addressInput } from './addresses.js';
import { copyName } from './secret-copies.js';

type Spec = Immutable<ApplicationObject>['spec'];
type Process = Spec['processes'][number];
type Variable = NonNullable<Spec['env']>[number];
type ProbeSpec = NonNullable<NonNullable<Process['probes']>['readiness']>;

/** The container of one process; variables of the process override those of the application. */
export function containerOf(application: Immutable<ApplicationObject>, process: Process, facts: RenderFacts): Container {
  const own = new Set((process.env ?? []).map(({ name }) => name));
  const variables = [...(application.spec.env ?? []).filter(({ name }) => !own.has(name)), ...(process.env ?? [])];
  return {
    name: process.name,
    image: process.image ?? facts.inputs['image'] ?? '',
    ...(process.command?.length ? { command: [...process.command] } : {}),
    env: variables.map((each) => variable(each, application, facts)),
    ports: (process.ports ?? []).map(({ name, port, protocol }) => ({
      name,
      containerPort: port,
      protocol: protocol === 'UDP' ? ('UDP' as const) : ('TCP' as const),
    })),
    resources: resourcesOf(process),
    ...probesOf(process),
  };
}

function variable({ name, value, from }: Variable, application: Immutable<ApplicationObject>, facts: RenderFacts): EnvVar {
  if (from?.secret)
    return { name, valueFrom: { secretKeyRef: { name: copyName(application, from.secret.name, facts), key: from.secret.key } } };
  if (from?.application) return { name, value: facts.inputs[addressInput(from.application)] ?? '' };
  return { name, value: value ?? '' };
}

function resourcesOf({ resources }: Process): NonNullable<Container['resources']> {
  const requests = Object.fromEntries(
    Object.entries({
      cpu: resources?.cpu,
      memory: resources?.memory,
      'ephemeral-storage': resources?.ephemeralStorage,
      'tappaas.dev/network-mbps': resources?.networkMbps === undefined ? undefined : String(resources.networkMbps),
    }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const gpu: Record<string, string> = resources?.gpu ? { 'nvidia.com/gpu': String(resources.gpu) } : {};
  return { requests: { ...requests, ...gpu }, ...(resources?.gpu ? { limits: gpu } : {}) };
}

/**
 * Without a readiness probe, a process with ports is ready once its first TCP port accepts connections, so that traffic never reaches a
 * closed port.
 */
function probesOf({ probes, ports }: Process): Pick<Container, 'readinessProbe' | 'livenessProbe' | 'startupProbe'> {
  const first = ports?.find(({ protocol }) => protocol !== 'UDP');
  const readiness = probes?.readiness ?? (first ? { tcp: { port: first.name }, periodSeconds: 1 } : undefined);
  return {
    ...(readiness ? { readinessProbe: probe(readiness) } : {}),
    ...(probes?.liveness ? { livenessProbe: probe(probes.liveness) } : {}),
    ...(probes?.startup ? { startupProbe: probe(probes.startup) } : {}),
  };
}

function probe({ http, tcp, exec, ...times }: ProbeSpec): Probe {
  if (http) return { httpGet: { path: http.path, port: http.port }, ...times };
  if (tcp) return { tcpSocket: { port: tcp.port }, ...times };
  return { exec: { command: [...(exec?.command ?? [])] }, ...times };
}
