import type { Immutable, RenderFacts } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';

export type Process = Immutable<ApplicationObject>['spec']['processes'][number];

/** Without progress for so long a rollout has failed, and so has a release task. */
export const defaultTimeoutSeconds = 600;

/** A process of a new release that has ended so often will not serve. */
export const defaultCrashesMax = 3;

/** Where an application's objects are and how they are labelled. */
export interface Place {
  readonly application: Immutable<ApplicationObject>;
  readonly facts: RenderFacts;
}

/** The host of a route that names none. */
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
