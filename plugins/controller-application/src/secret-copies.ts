import { createHash } from 'node:crypto';
import { secretCopiedFrom, secretCopiedVersion, type Immutable, type KubernetesSecret, type RenderFacts } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';

/** Name of the input with the version of a Secret that the application uses. */
export const secretInput = (secret: string) => `secret/${secret}`;

/** Names of all Secrets in an application's environment. */
export function secretsOf({ spec }: Immutable<ApplicationObject>): readonly string[] {
  const variables = [...(spec.env ?? []), ...spec.processes.flatMap(({ env }) => env ?? [])];
  return [...new Set(variables.flatMap(({ from }) => from?.secret?.name ?? []))].toSorted();
}

const hashCharacters = 10;
const ownerCharactersMax = 40;

/**
 * Name of the copy of a Secret at the determined version. A changed Secret gets a new copy, so that old pods keep their values. Only one
 * application may own a copy, so the hash includes the application's name where that is truncated.
 */
export function copyName({ metadata: { name } }: Immutable<ApplicationObject>, secret: string, { inputs }: RenderFacts): string {
  const version = inputs[secretInput(secret)] ?? '';
  const hashed = [secret, version, ...(name.length > ownerCharactersMax ? [name] : [])].join('\n');
  const hash = createHash('sha256').update(hashed).digest('hex').slice(0, hashCharacters);
  return `${name.slice(0, ownerCharactersMax)}-${secret.slice(0, 190)}-${hash}`;
}

/** The copies to render, which refer to the original and contain no values. */
export function secretCopies(application: Immutable<ApplicationObject>, facts: RenderFacts): readonly KubernetesSecret[] {
  return secretsOf(application).map((secret) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: copyName(application, secret, facts),
      namespace: facts.cluster.namespace,
      labels: { 'app.kubernetes.io/name': application.metadata.name, 'app.kubernetes.io/managed-by': 'tappaas' },
      annotations: {
        [secretCopiedFrom]: `${application.metadata.namespace}/${secret}`,
        [secretCopiedVersion]: facts.inputs[secretInput(secret)] ?? '',
      },
    },
    type: 'Opaque',
  }));
}
