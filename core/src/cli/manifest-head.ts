import { nearestName } from '../kernel/config/nearest-name.js';
import { CliError } from './cli-error.js';
import { exitCodes, type Invocation } from './command.js';

type Written = Readonly<Record<string, unknown>>;

/** The only version of the Application kind there is. */
export const applicationVersion = 'apps.tappaas.dev/v1alpha1';

/** `status` is what kubectl prints and what nobody sends. */
const topLevelKeys: readonly string[] = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

/** Refuses what would otherwise be left out of what is sent without a word. */
export function checkHead(path: string, written: Written): void {
  const { apiVersion } = written;
  if (apiVersion !== undefined && apiVersion !== applicationVersion)
    throw refused(`${path}: apiVersion is ${JSON.stringify(apiVersion)}, expected ${applicationVersion}`, 'Correct it, or leave it out.');
  for (const field of ['metadata', 'spec']) {
    const value = written[field];
    if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value)))
      throw refused(`${path}: ${field} is ${Array.isArray(value) ? 'a list' : JSON.stringify(value)}, expected a map`, 'Correct it.');
  }
  const unknown = Object.keys(written).find((key) => !topLevelKeys.includes(key));
  if (unknown === undefined) return;
  const guess = nearestName(unknown, topLevelKeys);
  const remedy = guess ? `Did you mean "${guess}"?` : `What an application is made of stands below spec: write "${unknown}" there.`;
  throw refused(`${path}: unknown field "${unknown}" beside ${topLevelKeys.slice(0, 4).join(', ')}`, remedy);
}

/** What the command line says of the namespace: what was asked for with `-n`, and what is meant when nobody says anything. */
export interface NamespaceChoice {
  readonly asked?: string;
  readonly usual: string;
}

export function namespaceChoice({ options, namespace }: Invocation): NamespaceChoice {
  const asked = options['namespace'];
  return { usual: namespace, ...(typeof asked === 'string' && { asked }) };
}

/** The namespace that is asked for and the one that is written must be the same one. */
export function namespaceOf(path: string, metadata: Written, { asked, usual }: NamespaceChoice): string {
  const written = metadata['namespace'];
  if (written === undefined) return asked ?? usual;
  if (typeof written !== 'string')
    throw refused(`${path}: metadata.namespace is ${JSON.stringify(written)}, expected a name`, 'Correct it.');
  if (asked === undefined || asked === written) return written;
  throw refused(`${path} is for namespace "${written}", asked for is "${asked}"`, `Leave out -n, or metadata.namespace in the file.`);
}

const refused = (message: string, remedy: string): CliError => new CliError(message, { remedy, exitCode: exitCodes.usage });
