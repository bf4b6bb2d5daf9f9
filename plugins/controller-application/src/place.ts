import type { Immutable, RenderFacts } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';

export type Process = Immutable<ApplicationObject>['spec']['processes'][number];

/** Time without progress after which a rollout has failed, and time limit of a release task. */
export const defaultTimeoutSeconds = 600;

/** Number of ends after which a process of a new release counts as crashing. */
export const defaultCrashesMax = 3;

/** The application and the facts that its objects' names, namespace and labels depend on. */
export interface Place {
  readonly application: Immutable<ApplicationObject>;
  readonly facts: RenderFacts;
}

/** The host of a route without an explicit host. */
export function defaultHost(application: Immutable<ApplicationObject>, facts: RenderFacts): string {
  return `${application.metadata.name}.${application.metadata.namespace}.${facts.ingress.hostSuffix}`;
}

export const objectName = (application: Immutable<ApplicationObject>, process: string) => `${application.metadata.name}-${process}`;

export function metadata({ application, facts }: Place, name: string, labels: Readonly<Record<string, string>>) {
  return {
    name,
    namespace: facts.cluster.namespace,
    labels: { 'app.kubernetes.io/name': application.metadata.name, 'app.kubernetes.io/managed-by': 'tappaas', ...labels },
  };
}

export const selectorOf = (application: Immutable<ApplicationObject>, process: string) => ({
  'app.kubernetes.io/instance': application.metadata.name,
  'app.kubernetes.io/component': process,
});
