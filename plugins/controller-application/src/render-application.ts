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
import { heldRoutes } from './lost-routes.js';
import { defaultHost, defaultTimeoutSeconds, metadata, objectName, selectorOf, type Place, type Process } from './place.js';
import { isTask, task } from './tasks.js';
import { secretCopies } from './secret-copies.js';

/** Renders a Deployment and, with ports, a Service for each running process; a Job or CronJob for each task; one Ingress for the routes. */
export function renderApplication(
  application: Immutable<ApplicationObject>,
  facts: RenderFacts,
  runtimes: ReadonlyMap<string, RuntimeType>,
): readonly KubernetesObject[] {
  const place = { application, facts };
  const runtime = runtimes.get(application.spec.runtime);
  const templateOf = (process: Process) => podTemplate(process, place, runtime);
  const { processes } = application.spec;
  const running = processes.filter((process) => !isTask(process));
  return [
    ...secretCopies(application, facts),
    ...processes.filter(isTask).map((process) => task(process, templateOf(process), place)),
    ...running.map((process) => deployment(process, templateOf(process), place)),
    ...running.filter(({ ports }) => ports?.length).map((process) => service(process, place)),
    ...(heldRoutes(application, facts).length > 0 ? [ingress(place)] : []),
  ];
}

function podTemplate(process: Process, place: Place, runtime: RuntimeType | undefined): PodTemplate {
  const { application } = place;
  const template: PodTemplate = {
    metadata: { labels: { ...selectorOf(application, process.name), 'app.kubernetes.io/name': application.metadata.name } },
    spec: {
      ...(isTask(process) ? { restartPolicy: 'Never' as const } : {}),
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
  return template;
}

function deployment(process: Process, template: PodTemplate, place: Place): Deployment {
  const { application } = place;
  const selector = selectorOf(application, process.name);
  const rollout = application.spec.rollout;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(place, objectName(application, process.name), selector),
    spec: {
      replicas: process.replicas,
      selector: { matchLabels: selector },
      progressDeadlineSeconds: rollout?.timeoutSeconds ?? defaultTimeoutSeconds,
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
  const hosts = Map.groupBy(heldRoutes(application, facts), (route) => route.host ?? defaultHost(application, facts));
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
