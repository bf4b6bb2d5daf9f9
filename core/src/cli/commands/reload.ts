import { ApiError, type Client } from '@tappaas/client';
import { exitCodes, type Invocation } from '../command.js';
import { print } from '../print.js';

interface ReloadAnswer {
  readonly outcome: 'applied' | 'unchanged' | 'refused';
  readonly problems: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly turnedOff: readonly string[];
  readonly restarted: readonly string[];
  readonly reconfigured: readonly string[];
  /** Paths of settings that have changed, and count from the next start of the platform on. */
  readonly atNextStart: readonly string[];
}

/** `tappaas reload`: a refused configuration changes nothing, and exits with the code of a configuration error. */
export async function reload(invocation: Invocation): Promise<number> {
  const client = await invocation.client();
  if (invocation.options['workers'] === true) return replaceWorkers(client, invocation);
  const sent = await client.send('/plugins/platform/reload', { method: 'POST', timeoutMs: 120_000 });
  if (sent.status >= 300) throw ApiError.of(sent);
  const answer = JSON.parse(sent.text) as ReloadAnswer;
  await print(invocation, answer, () => describe(answer));
  return answer.outcome === 'refused' ? exitCodes.configuration : exitCodes.ok;
}

async function replaceWorkers(client: Client, invocation: Invocation): Promise<number> {
  const sent = await client.send('/plugins/platform/replace-workers', { method: 'POST', timeoutMs: 60_000 });
  if (sent.status >= 300) throw ApiError.of(sent);
  const answer = JSON.parse(sent.text) as { readonly replacing: number };
  const { replacing } = answer;
  await print(invocation, answer, () =>
    replacing === 0
      ? 'The API has no processes of its own (api.workers is 0).\n'
      : `${replacing} workers of the API are being replaced, one after the other; requests go on.\n`,
  );
  return exitCodes.ok;
}

function describe({ outcome, problems, added, removed, turnedOff, restarted, reconfigured, atNextStart }: ReloadAnswer): string {
  if (outcome === 'refused') return `${problems.join('\n')}\nNothing was changed.\n`;
  const changes = Object.entries({ added, removed, 'turned off': turnedOff, restarted, reconfigured }).filter(([, ids]) => ids.length > 0);
  const later = atNextStart.length === 0 ? '' : `The next start of the platform takes over: ${atNextStart.join(', ')}\n`;
  if (outcome === 'unchanged') return later === '' ? 'The configuration says what already runs.\n' : later;
  return `Applied.\n${changes.map(([what, ids]) => `  ${what}: ${ids.join(', ')}\n`).join('')}${later}`;
}
