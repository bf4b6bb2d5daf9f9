import { isTapError } from '@tappaas/sdk';
import type { Target } from '../engine-port.js';
import type { GraphqlContext } from './context.js';

/** What came of a change, as much of it as audit is told. */
interface Outcome {
  readonly object?: object;
  readonly userErrors: readonly { readonly code: string }[];
}

/**
 * Does one change of an operation and notes for audit what it was and what came of it: an operation is one request, answered 200 whatever its changes
 * come to. `graphql.writes` counts them, so that those beyond the bound of annotations are missed.
 *
 * @throws what the change throws
 */
export async function noted<T extends Outcome>(
  { annotations }: GraphqlContext,
  verb: string,
  target: Target,
  isDryRun: boolean,
  change: () => Promise<T>,
): Promise<T> {
  const number = Number(annotations.get('graphql.writes') ?? 0) + 1;
  annotations.set('graphql.writes', String(number));
  const note = (outcome: string, name = target.name): void => {
    const { group, plural } = target.kind;
    // A namespace keeps its slash where nothing was named: it would look like a name, and the log is searched for names.
    const place = `${target.namespace === undefined ? '' : `${target.namespace}/`}${name ?? ''}`;
    annotations.set(`graphql.write.${number}`, `${verb} ${group === '' ? plural : `${plural}.${group}`} ${place}: ${outcome}`);
  };
  try {
    const made = await change();
    note(made.userErrors[0]?.code ?? (isDryRun ? 'dry run' : 'done'), nameOf(made.object));
    return made;
  } catch (error) {
    note(isTapError(error) ? error.code : 'failed');
    throw error;
  }
}

function nameOf(object: { readonly metadata?: { readonly name?: string } } | undefined): string | undefined {
  return object?.metadata?.name;
}
