import type { Clock } from '@tappaas/sdk';
import { sendBytes } from './answer/answer.js';
import type { ReadyCheck } from './contributions.js';
import type { Exchange } from './request/exchange.js';
import { makeChecks, type CheckResult } from './ready-checks.js';

/** Answers `/livez` and `/readyz`: `ok`, or all checks if one fails or the query has `verbose`. */
export async function answerHealth(exchange: Exchange, checks: readonly ReadyCheck[], clock: Clock): Promise<void> {
  const results = await makeChecks(checks, clock, exchange.signal);
  const good = results.every(({ ok }) => ok);
  const lines = results.map((result) => lineOf(result));
  const verdict = `${exchange.info.path.slice(1)} check ${good ? 'passed' : 'failed'}`;
  const text = good && !exchange.query.has('verbose') ? 'ok' : `${[...lines, verdict].join('\n')}\n`;
  sendBytes(exchange, good ? 200 : 503, 'text/plain; charset=utf-8', text);
}

function lineOf({ name, ok, note }: CheckResult): string {
  return `${ok ? '[+]' : '[-]'}${name} ${ok ? 'ok' : 'failed'}${note === undefined ? '' : `: ${note}`}`;
}
