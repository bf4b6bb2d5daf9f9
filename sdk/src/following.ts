import type { Clock, Logger } from './context.js';
import type { AnyKind, Key, ObjectOf } from './kinds.js';
import type { ObjectChange, Resources } from './resources.js';
import type { Immutable } from './values.js';

/** What following a kind needs; the signal ends it, so abort it when the plugin stops. */
export interface FollowParts {
  readonly resources: Resources;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Takes what is told of the objects of a kind; called in order, synchronously. */
export interface Follower<O> {
  readonly put: (object: Immutable<O>) => void;
  readonly gone: (key: Key) => void;
  /** Why the objects are not known now; nothing once they are. */
  readonly problem: (reason: string | undefined) => void;
}

/** Delay before a watch that has failed is begun anew. */
const againAfterMs = 500;

type Batch<O> = readonly ObjectChange<Immutable<O>>[];

/**
 * Tells every object of a kind and what becomes of it, until the signal aborts or the platform stops: for plugins that keep an index of
 * their own to decide on, such as authorizers. A watch that fails is begun anew after 500 ms, and what has gone meanwhile is told. Never
 * rejects.
 *
 * @example
 * ```ts
 * void followKind({ resources: asPlugin, clock, log, signal }, Budget, {
 *   put: ({ metadata, spec }) => budgets.set(metadata.name, spec.monthlyEuro),
 *   gone: ({ name }) => budgets.delete(name),
 *   problem: (reason) => (broken = reason),
 * });
 * ```
 */
export async function followKind<K extends AnyKind>(parts: FollowParts, kind: K, take: Follower<ObjectOf<K>>): Promise<void> {
  const { resources, clock, log, signal } = parts;
  const known = new Map<string, Key>();
  while (!signal.aborted) {
    try {
      await followOnce(resources, kind, signal, known, take);
      return;
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      take.problem(reason);
      log.warn(`${kind.kind} objects cannot be followed now`, { error: reason });
      await clock.sleep(againAfterMs, signal).catch(() => {});
    }
  }
}

/** Until the watch ends. The first batch is all there is, so what it lacks is gone. */
async function followOnce<K extends AnyKind>(
  resources: Resources,
  kind: K,
  signal: AbortSignal,
  known: Map<string, Key>,
  take: Follower<ObjectOf<K>>,
): Promise<void> {
  let isFirst = true;
  for await (const batch of resources.watch(kind, { signal })) {
    if (isFirst) {
      const present = new Set(batch.map(({ object }) => textOf(keyOf(object))));
      for (const [text, key] of known) if (!present.has(text)) forget(known, key, take);
    }
    apply(known, batch, take);
    if (isFirst) take.problem(undefined);
    isFirst = false;
  }
}

function keyOf(object: unknown): Key {
  const { namespace, name } = (object as { readonly metadata: Key }).metadata;
  return namespace === undefined ? { name } : { namespace, name };
}

const textOf = ({ namespace = '', name }: Key): string => `${namespace}/${name}`;

function apply<O>(known: Map<string, Key>, batch: Batch<O>, take: Follower<O>): void {
  for (const { type, object } of batch) {
    const key = keyOf(object);
    if (type === 'deleted') forget(known, key, take);
    else {
      known.set(textOf(key), key);
      take.put(object);
    }
  }
}

function forget<O>(known: Map<string, Key>, key: Key, take: Follower<O>): void {
  known.delete(textOf(key));
  take.gone(key);
}
