import type { Caller } from '@tappaas/sdk';
import { createFlow } from '../../dist/flow/flow.js';
import type { FlowSettings } from '../../dist/flow/flow-settings.js';
import type { Seat } from '../../dist/flow/priority-level.js';
import type { ShareGrant, ShareReport } from '../../dist/flow/shares/protocol.js';
import { ShareBook } from '../../dist/flow/shares/share-book.js';
import { ShareLedger } from '../../dist/flow/shares/share-ledger.js';
import type { Rate } from '../../dist/flow/token-bucket.js';
import { VirtualClock } from '../virtual-clock.ts';

const never = new AbortController().signal;
/** A message is on its way for so long. */
const wayMs = 1;

/** One process of several that share limits. */
export interface FlowProcess {
  readonly book: ShareBook;
  readonly ask: (caller: Caller, options?: { readonly stream?: boolean; readonly signal?: AbortSignal }) => Seat | Promise<Seat>;
  /** Messages that it has sent. */
  readonly sent: () => number;
  readonly end: () => void;
}

/** Processes that share limits, over a way that takes time; `reach` says whether messages arrive now, or wait until they do. */
export function sharedFlow(settings: FlowSettings, processes: number, rateOf?: (tenant: string) => Partial<Rate> | undefined) {
  const clock = new VirtualClock();
  const books = new Map<string, ShareBook>();
  let held: (() => void)[] | undefined;
  const deliver = async (arrive: () => void): Promise<void> => {
    await clock.sleep(wayMs, never);
    if (held === undefined) arrive();
    else await new Promise<void>((done) => held?.push(() => (arrive(), done())));
  };
  const ledger = new ShareLedger({
    clock,
    sendGrants: (process, grants: readonly ShareGrant[]) => {
      // One that is started again under the same name is not told what was meant for the one before, nor answers for it.
      const reported = books.get(process);
      void deliver(() => void (books.get(process) === reported && reported?.granted(structuredClone(grants))));
    },
  });
  const start = (name: string): FlowProcess => {
    let messages = 0;
    ledger.join(name);
    const send = (reports: readonly ShareReport[]): Promise<void> => {
      messages += 1;
      const received = deliver(() => void (books.get(name) === book && ledger.report(name, structuredClone(reports))));
      // The answer comes behind what was granted, and there is time between the two.
      return received.then(() => clock.sleep(2 * wayMs, never));
    };
    const book: ShareBook = new ShareBook({ clock, processes, send });
    books.set(name, book);
    const flow = createFlow({ settings, clock, allowances: book, ...(rateOf !== undefined && { rateOf }) });
    return {
      book,
      ask: (caller, { stream = false, signal = never } = {}) => flow({ caller, stream, signal }),
      sent: () => messages,
      end: () => {
        books.delete(name);
        ledger.leave(name);
      },
    };
  };
  const all = Array.from({ length: processes }, (_, index) => start(`w${index + 1}`));
  return {
    clock,
    ledger,
    processes: all,
    start,
    /** Nobody hears anybody, until told otherwise. */
    cut: () => void (held = []),
    mend: async (): Promise<void> => {
      const waiting = held ?? [];
      held = undefined;
      for (const arrive of waiting) arrive();
      await clock.advance(wayMs);
    },
  };
}
