import type { AuditEnd } from '@tappaas/sdk';
import type { LogSink } from './audit-log.js';
import { parseLine, type ChainEnd } from './chain.js';
import type { CheckpointFiles } from './checkpoint-files.js';

/** How the chain of a process that is gone has ended, and which of its lines no checkpoint vouches for, such as `7-9`. */
export interface GoneEnd {
  /** `doubtful`: in a way that no stop and no crash leaves behind. */
  readonly how: 'in-order' | 'crashed' | 'doubtful';
  readonly unvouched?: string;
}

/**
 * What may be signed of a chain that its own process cannot sign any more: nothing but what a crash leaves, lines behind a checkpoint that is
 * not one of a stop. Whoever can write where the lines are could have anything else signed, without a restart that anybody would notice.
 */
export async function goneEnd(
  chain: string,
  found: AuditEnd,
  { last, isVouched }: Pick<CheckpointFiles, 'last' | 'isVouched'>,
  read: LogSink['read'],
): Promise<GoneEnd> {
  const end = intact(chain, found.line?.text);
  if (last === undefined || !isVouched || end === undefined) return { how: 'doubtful' };
  if (isSame(end, last)) return { how: last.final && found.tornBytes === 0 ? 'in-order' : 'crashed' };
  if (last.final || end.sequence < last.sequence) return { how: 'doubtful' };
  const [vouched] = (await read?.(chain, last.sequence + 1, 1)) ?? [];
  const isFollowed = isSame(intact(chain, vouched?.text), last);
  return isFollowed ? { how: 'crashed', unvouched: `${last.sequence + 1}-${end.sequence}` } : { how: 'doubtful' };
}

function intact(chain: string, text = ''): ChainEnd | undefined {
  const line = parseLine(text);
  return line?.isIntact === true && line.chain === chain ? line : undefined;
}

function isSame(one: ChainEnd | undefined, other: ChainEnd): boolean {
  return one?.sequence === other.sequence && one.hash === other.hash;
}
