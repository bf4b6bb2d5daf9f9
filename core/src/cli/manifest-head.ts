import { nearestName } from '../kernel/config/nearest-name.js';
import { CliError } from './cli-error.js';
import { exitCodes, type Invocation } from './command.js';

type Written = Readonly<Record<string, unknown>>;

/** The only version of the Application kind. */
export const applicationVersion = 'apps.tappaas.dev/v1alpha1';

/** `status` is in the output of kubectl, but is never sent. */
const topLevelKeys: readonly string[] = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

/** Refuses fields that would otherwise be dropped silently. */
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

/** The namespace given with `-n`, if any, and the default namespace. */
export interface NamespaceChoice {
  readonly requested?: string;
  readonly usual: string;
}

export function namespaceChoice({ options, namespace }: Invocation): NamespaceChoice {
  const requested = options['namespace'];
  return { usual: namespace, ...(typeof requested === 'string' && { requested }) };
}

/** Returns the namespace; one given with `-n` and one in the manifest must agree. */
export function namespaceOf(path: string, metadata: Written, { requested, usual }: NamespaceChoice): string {
  const written = metadata['namespace'];
  if (written === undefined) return requested ?? usual;
  if (typeof written !== 'string')
    throw refused(`${path}: metadata.namespace is ${JSON.stringify(written)}, expected a name`, 'Correct it.');
  if (requested === undefined || requested === written) return written;
  throw refused(`${path} is for namespace "${written}", asked for is "${requested}"`, `Leave out -n, or metadata.namespace in the file.`);
}

const refused = (message: string, remedy: string): CliError => new CliError(message, { remedy, exitCode: exitCodes.usage });
