import { errorTable, isTapError, type Clock, type ErrorSpec } from '@tappaas/sdk';
import type { Channel } from '../../store/remote/channel.js';
import { platformErrors } from '../errors.js';

/** Methods that one process offers to another; parameters and results must be serializable. */
export type Offered = Readonly<Record<string, (...parameters: never[]) => Promise<unknown>>>;

type PeerMessage =
  | { readonly call: number; readonly method: string; readonly parameters: readonly unknown[] }
  | { readonly answer: number; readonly result: unknown }
  | { readonly answer: number; readonly failure: Failure };

/** An error in serializable form; its cause stays in the process that threw it. */
interface Failure {
  readonly message: string;
  /** Code and spec of an error from a table, with which the other side restores it. */
  readonly known?: { readonly code: string; readonly spec: ErrorSpec };
}

/** Messages between peers, in both directions. */
export type PeerChannel = Channel<PeerMessage, PeerMessage>;

export interface PeerOptions<Own extends Offered> {
  readonly channel: PeerChannel;
  readonly own: Own;
  readonly clock: Clock;
}

/** The other process. */
export interface Peer<Remote extends Offered> {
  /**
   * @throws the other side's own error; TAP_PROCESS_FAILED with its message if it is in no table, when the process disappears, or after a
   * minute
   */
  call<M extends keyof Remote & string>(method: M, ...parameters: Parameters<Remote[M]>): Promise<Awaited<ReturnType<Remote[M]>>>;
  /** As {@link call}, with a time limit after which the result is useless. */
  callWithin<M extends keyof Remote & string>(
    limitMs: number,
    method: M,
    ...parameters: Parameters<Remote[M]>
  ): Promise<Awaited<ReturnType<Remote[M]>>>;
}

const callMsMax = 60_000;
const callsMax = 10_000;

/** Connects two processes that call each other. */
export function connectPeer<Own extends Offered, Remote extends Offered>({ channel, own, clock }: PeerOptions<Own>): Peer<Remote> {
  const waiting = new Map<number, { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }>();
  let last = 0;
  const answer = async (call: number, method: string, parameters: readonly unknown[]): Promise<void> => {
    try {
      const offered = own[method] as ((...given: readonly unknown[]) => Promise<unknown>) | undefined;
      if (offered === undefined) throw new Error(`there is no call ${method}`);
      channel.send({ answer: call, result: await offered(...parameters) });
    } catch (error) {
      channel.send({ answer: call, failure: failureOf(error) });
    }
  };
  channel.onMessage((message) => {
    if ('call' in message) return void answer(message.call, message.method, message.parameters);
    const pending = waiting.get(message.answer);
    waiting.delete(message.answer);
    if ('failure' in message) pending?.reject(errorOf(message.failure));
    else pending?.resolve(message.result);
  });
  channel.onClose(() => {
    for (const { reject } of waiting.values()) reject(failed('the other process has gone'));
    waiting.clear();
  });
  const peer: Peer<Remote> = {
    call: (method, ...parameters) => peer.callWithin(callMsMax, method, ...parameters),
    async callWithin<M extends keyof Remote & string>(
      limitMs: number,
      method: M,
      ...parameters: Parameters<Remote[M]>
    ): Promise<Awaited<ReturnType<Remote[M]>>> {
      if (waiting.size >= callsMax) throw failed(`${callsMax} calls wait for the other process`);
      const call = ++last;
      const answered = Promise.withResolvers<unknown>();
      waiting.set(call, answered);
      const over = new AbortController();
      void clock.sleep(limitMs, over.signal).then(
        () => answered.reject(failed(`${method} was not answered within ${limitMs} ms`)),
        () => undefined,
      );
      try {
        channel.send({ call, method, parameters });
        return (await answered.promise) as Awaited<ReturnType<Remote[M]>>;
      } finally {
        over.abort();
        waiting.delete(call);
      }
    },
  };
  return peer;
}

function failed(message: string): Error {
  return platformErrors.TAP_PROCESS_FAILED({ message });
}

function failureOf(error: unknown): Failure {
  if (isTapError(error)) return { message: error.message, known: { code: error.code, spec: error.spec } };
  return { message: error instanceof Error ? error.message : String(error) };
}

function errorOf({ message, known }: Failure): Error {
  return known === undefined ? failed(message) : (errorTable({ [known.code]: known.spec })[known.code]?.({ message }) ?? failed(message));
}
