import type { AuditEnd } from '@tappaas/sdk';
import type { LogSink } from './audit-log.js';
import { parseLine, type ChainEnd } from './chain.js';
import type { CheckpointFiles } from './checkpoint-files.js';

/** How the chain of a gone process ended, and which of its lines no checkpoint covers, such as `7-9`. */
export interface FormerEnd {
  /** `doubtful`: neither a stop nor a crash leaves such an end. */
  readonly how: 'in-order' | 'crashed' | 'doubtful';
  readonly unvouched?: string;
}

/**
 * Determines how a chain has ended, and so what may be signed on behalf of its process: only what a crash leaves, that is, lines after a
 * checkpoint that is not final. Otherwise anyone with write access to the lines could have anything signed, without a noticeable restart.
 */
export async function formerEnd(
  chain: string,
  found: AuditEnd,
  { last, isVouched }: Pick<CheckpointFiles, 'last' | 'isVouched'>,
  read: LogSink['read'],
): Promise<FormerEnd> {
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
