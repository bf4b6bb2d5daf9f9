import type { ApiAnswer, Client } from '@tappaas/client';
import { currentCondition, type ApplicationView } from './application-view.js';
import { inNamespace } from './called-as.js';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import { followOperation } from './follow-operation.js';
import { LastOutput } from './last-output.js';
import { applicationPath } from './paths.js';
import type { Stages } from './stages.js';
import type { Terminal } from './terminal.js';
import { duration } from './table.js';

/** A change of an application that the platform has accepted. */
export interface Change {
  readonly sent: ApplicationView;
  /** The operation of the change; if nothing changed, that of the current spec. */
  readonly operation: string | undefined;
}

/** Reads the change from the response to a write of an application. */
export function changeOf(answer: Pick<ApiAnswer, 'text' | 'header'>): Change {
  const sent = JSON.parse(answer.text) as ApplicationView;
  const location = answer.header('location')?.split('/').at(-1);
  return { sent, operation: location === undefined ? sent.status?.operation : decodeURIComponent(location) };
}

/** Follows the operation to its end. A failure is reported in the platform's own words, with `next` as the remedy. */
export async function untilServing(
  client: Client,
  { sent, operation }: Change,
  timeoutMs: number,
  stages: Stages,
  { next, terminal }: { readonly next: string; readonly terminal: Pick<Terminal, 'env'> },
): Promise<ApplicationView> {
  const { name, namespace, generation } = sent.metadata;
  let waitsFor: string | undefined;
  const output = new LastOutput(client, { namespace, name });
  const followed = await followOperation(client, { namespace, name: operation ?? '' }, timeoutMs, stages, (step) => {
    waitsFor = step.message;
    if (step.name === 'rollout' && step.message !== undefined) output.lookFor(step.message);
    // Rendering takes no time, so if it waits for something, a plugin has failed.
    return step.name === 'render' && step.message !== undefined;
  });
  const application = await client.json<ApplicationView>(applicationPath(namespace, name));
  if (application === undefined) {
    throw new CliError(`application ${name} was deleted meanwhile`, {
      remedy: 'Deploy it again if that was not meant.',
      exitCode: exitCodes.failed,
    });
  }
  const ready = currentCondition(application, 'Ready');
  const { phase, error } = followed.object?.status ?? {};
  if (followed.reached && ready?.status === 'True' && (phase === 'Succeeded' || phase === undefined)) return application;
  const late = followed.reached ? '' : ` in ${duration(timeoutMs)}`;
  const why = error ?? waitsFor ?? ready?.message ?? 'nothing was heard of it';
  const lines = await output.lines();
  const wrote = lines.length === 0 ? '' : `\n  It wrote last:\n${lines.map((line) => `    ${line}`).join('\n')}`;
  const place = inNamespace(terminal, namespace);
  const more = `tappaas status ${name}${place}${lines.length === 0 ? `, tappaas logs ${name}${place}` : ''}`;
  throw new CliError(`application ${name} does not serve generation ${generation}${late}: ${why}${wrote}`, {
    remedy: `${next}; see ${more}${operation === undefined ? '' : ` and tappaas operations ${operation}${place}`}.`,
    exitCode: exitCodes.failed,
  });
}
