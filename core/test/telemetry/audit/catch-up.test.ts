import type { AuditLine } from '@tappaas/sdk';
import test from 'ava';
import type { AuditLogParts, LogSink } from '../../../dist/telemetry/audit/audit-log.js';
import { catchUp } from '../../../dist/telemetry/audit/catch-up.js';
import { genesis } from '../../../dist/telemetry/audit/chain.js';
import { ChainWriter } from './chain-writer.ts';
import { waitedFor } from './sink-settings.ts';

/** How many of three further lines, each with so many characters, the leading sink is given. */
async function copied(characters: number): Promise<number> {
  const writer = new ChainWriter('r0', genesis);
  writer.append('{}');
  const kept = writer.end;
  const further = Array.from({ length: 3 }, () => writer.append(`{"verb":"${'x'.repeat(characters)}"}`));
  const given: AuditLine[] = [];
  const leader: LogSink = { name: 'first', settings: waitedFor, write: async (lines) => (given.push(...lines), {}) };
  const ahead: LogSink = {
    name: 'second',
    settings: waitedFor,
    write: async () => ({}),
    end: async () => ({ line: further.at(-1), tornBytes: 0 }),
    read: async (_, before) => further.filter(({ sequence }) => sequence < before).slice(-1),
  };
  const parts = { chain: 'r0', sinks: [leader, ahead], log: { warn: () => {} } } as unknown as AuditLogParts;
  await catchUp(parts, leader, kept);
  return given.length;
}

test('lines that are too large to be in memory together are not copied', async (t) => {
  t.is(await copied(1_000_000), 3);
  t.is(await copied(22 * 1024 * 1024), 0);
});
