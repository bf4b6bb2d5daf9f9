import type { Clock } from '@tappaas/sdk';
import { sendBytes } from './answer.js';
import type { ReadyCheck } from './contributions.js';
import type { Exchange } from './exchange.js';

const checkMsMax = 5000;

/** `/livez` and `/readyz`: `ok`, or what is not; `?verbose` tells every check. */
export async function answerHealth(exchange: Exchange, checks: readonly ReadyCheck[], clock: Clock): Promise<void> {
  const over = new AbortController();
  const late = clock.sleep(checkMsMax, AbortSignal.any([over.signal, exchange.signal])).then(
    () => false,
    () => false,
  );
  const outcomes = await Promise.all(
    checks.map(async (each) => ({ name: each.name, note: each.note?.(), good: await Promise.race([isGood(each), late]) })),
  );
  over.abort();
  const good = outcomes.every((outcome) => outcome.good);
  const lines = outcomes.map((outcome) => lineOf(outcome));
  const verdict = `${exchange.info.path.slice(1)} check ${good ? 'passed' : 'failed'}`;
  const text = good && !exchange.query.has('verbose') ? 'ok' : `${[...lines, verdict].join('\n')}\n`;
  sendBytes(exchange, good ? 200 : 503, 'text/plain; charset=utf-8', text);
}

/** A check that throws has failed; why is for the log of who owns it, since anybody may ask here. */
async function isGood({ check }: ReadyCheck): Promise<boolean> {
  try {
    return await check();
  } catch {
    return false;
  }
}

function lineOf({ name, good, note }: { readonly name: string; readonly good: boolean; readonly note: string | undefined }): string {
  return `${good ? '[+]' : '[-]'}${name} ${good ? 'ok' : 'failed'}${note === undefined ? '' : `: ${note}`}`;
}
