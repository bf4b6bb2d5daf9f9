import type { Client } from '@tappaas/client';
import { CliError } from './cli-error.js';
import { exitCodes, type Invocation } from './command.js';
import { discoveredGroups, wordsOf } from './discovery.js';
import { nearestName } from '../kernel/config/nearest-name.js';

/** What an access question is about. */
export type RequestedAccess =
  | { readonly path: string }
  | {
      readonly group: string;
      readonly resource: string;
      readonly subresource?: string;
      readonly isNamespaced: boolean;
    };

/** Returns the mount path of the engine: the platform's, or that of a cluster. */
export function mountOf({ options }: Invocation): string {
  const { cluster } = options;
  return typeof cluster === 'string' ? `/clusters/${encodeURIComponent(cluster)}` : '';
}

/**
 * Parses `RESOURCE[.GROUP][/SUBRESOURCE]`, a kind, a short name, or a path that begins with a slash.
 *
 * @throws CliError naming the most similar kind that is served
 */
export async function requestedAccess(client: Client, mount: string, text: string): Promise<RequestedAccess> {
  if (text.startsWith('/')) return { path: text };
  const [what = '', subresource, ...more] = text.split('/');
  const [word = '', ...groupParts] = what.toLowerCase().split('.');
  const group = groupParts.join('.');
  const known = await servedResources(client, mount);
  const found = known.find((each) => (group === '' || each.group === group) && each.words.includes(word));
  if (found === undefined || more.length > 0) {
    const close = nearestName(
      word,
      known.flatMap(({ words }) => words),
    );
    throw new CliError(`nothing that is served is called "${text}"${close === undefined ? '' : `; did you mean "${close}"?`}`, {
      remedy:
        mount === ''
          ? 'Write it as applications or builds; what lies on a cluster, such as pods, is asked about with --cluster NAME, as in --cluster local.'
          : 'Write it as pods, pods/log or deployments.apps; kubectl api-resources lists what there is.',
      exitCode: exitCodes.usage,
    });
  }
  const { resource, isNamespaced } = found;
  return { group: found.group, resource, isNamespaced, ...(subresource !== undefined && { subresource }) };
}

interface Known {
  readonly group: string;
  readonly resource: string;
  readonly words: readonly string[];
  readonly isNamespaced: boolean;
}

async function servedResources(client: Client, mount: string): Promise<readonly Known[]> {
  const found = await Promise.all(['/api', '/apis'].map((root) => discoveredGroups(client, `${mount}${root}`)));
  return found.flat().flatMap(({ metadata, versions }) =>
    (versions[0]?.resources ?? []).map((each) => ({
      group: metadata?.name ?? '',
      resource: each.resource,
      words: wordsOf(each),
      isNamespaced: each.scope === 'Namespaced',
    })),
  );
}
