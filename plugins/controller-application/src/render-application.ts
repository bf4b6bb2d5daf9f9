import type {
  Deployment,
  Immutable,
  Ingress,
  KubernetesObject,
  KubernetesService,
  PodTemplate,
  RenderFacts,
  RuntimeType,
} from '@tappaas/sdk';

import type { ApplicationObject } from '@tappaas/sdk/kinds';
import { containerOf } from './container.js';
import { secretCopies } from './secret-copies.js';

type Process = Immutable<ApplicationObject>['spec']['processes'][number];

/** Where an application's objects are and how they are labelled. */
interface Place {
  readonly application: Immutable<ApplicationObject>;
  readonly facts: RenderFacts;
}

/** A Deployment and, with ports, a Service for each process; one Ingress for the routes. */
export function renderApplication(
  application: Immutable<ApplicationObject>,
  facts: RenderFacts,
  runtimes: ReadonlyMap<string, RuntimeType>,
): readonly KubernetesObject[] {
  const place = { application, facts };
  const runtime = runtimes.get(application.spec.runtime);
  return [
    ...secretCopies(application, facts),
    ...application.spec.processes.map((process) => deployment(process, place, runtime)),
    ...application.spec.processes.filter(({ ports }) => ports?.length).map((process) => service(process, place)),
    ...(application.spec.routes?.length ? [ingress(place)] : []),
  ];
}

/** The host of a route that names none. */
export function defaultHost(application: Immutable<ApplicationObject>, facts: RenderFacts): string {
  return `${application.metadata.name}.${application.metadata.namespace}.${facts.ingress.hostSuffix}`;
}

const objectName = (application: Immutable<ApplicationObject>, process: string) => `${application.metadata.name}-${process}`;

function metadata({ application, facts }: Place, name: string, labels: Readonly<Record<string, string>>) {
  return {
    name,
    namespace: facts.cluster.namespace,
    labels: { 'app.kubernetes.io/name': application.metadata.name, 'app.kubernetes.io/managed-by': 'tappaas', ...labels },
  };
}

const selectorOf = (application: Immutable<ApplicationObject>, process: string) => ({
  'app.kubernetes.io/instance': application.metadata.name,
  'app.kubernetes.io/component': process,
});

function deployment(process: Process, place: Place, runtime: RuntimeType | undefined): Deployment {
  const { application } = place;
  const selector = selectorOf(application, process.name);
  const rollout = application.spec.rollout;
  const template: PodTemplate = {
    metadata: { labels: { ...selector, 'app.kubernetes.io/name': application.metadata.name } },
    spec: {
      terminationGracePeriodSeconds: process.terminationSeconds ?? 30,
      ...(place.facts.cluster.schedulerName === undefined ? {} : { schedulerName: place.facts.cluster.schedulerName }),
      containers: [containerOf(application, process, place.facts)],
    },
  };
  runtime?.shape(template, {
    application: application.metadata.name,
    process: process.name,
    parameters: application.spec.runtimeParameters ?? {},
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(place, objectName(application, process.name), selector),
    spec: {
      replicas: process.replicas,
      selector: { matchLabels: selector },
      progressDeadlineSeconds: rollout?.timeoutSeconds ?? 600,
      strategy:
        rollout?.strategy === 'Recreate'
          ? { type: 'Recreate' }
          : { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: rollout?.maxUnavailable ?? 0, maxSurge: rollout?.maxSurge ?? 1 } },
      template,
    },
  };
}

function service(process: Process, place: Place): KubernetesService {
  const { application } = place;
  const selector = selectorOf(application, process.name);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(place, objectName(application, process.name), selector),
    spec: {
      type: 'ClusterIP',
      selector,
      ports: (process.ports ?? []).map((port) => ({
        name: port.name,
        port: port.port,
        targetPort: port.name,
        protocol: port.protocol === 'UDP' ? 'UDP' : 'TCP',
      })),
    },
  };
}

function ingress(place: Place): Ingress {
  const { application, facts } = place;
  const hosts = Map.groupBy(application.spec.routes ?? [], (route) => route.host ?? defaultHost(application, facts));
  const tlsHosts = [...hosts].filter(([, routes]) => routes.some(({ tls }) => tls)).map(([host]) => host);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata(place, application.metadata.name, { 'app.kubernetes.io/instance': application.metadata.name }),
    spec: {
      rules: [...hosts].map(([host, routes]) => ({
        host,
        http: {
          paths: routes.map((route) => ({
            path: route.path,
            pathType: 'Prefix' as const,
            backend: { service: { name: objectName(application, route.process), port: { name: route.port } } },
          })),
        },
      })),
      ...(tlsHosts.length > 0 ? { tls: [{ hosts: tlsHosts, secretName: `${application.metadata.name}-tls` }] } : {}),
    },
  };
}
