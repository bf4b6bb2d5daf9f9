import type { Clock, Logger } from './context.js';
import type { AnyKind, Key, ObjectOf } from './kinds.js';
import type { ObjectChange, Resources } from './resources.js';
import type { Immutable } from './values.js';

/** What {@link followKind} needs; it runs until the signal aborts, so abort it when the plugin stops. */
export interface FollowParts {
  readonly resources: Resources;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Receives the objects of a kind and their changes; called in order, synchronously. */
export interface Follower<O> {
  readonly put: (object: Immutable<O>) => void;
  readonly removed: (key: Key) => void;
  /** Called with the reason why the objects are not known now, and with undefined once they are known again. */
  readonly problem: (reason: string | undefined) => void;
}

/** Delay before a failed watch is restarted. */
const againAfterMs = 500;

type Batch<O> = readonly ObjectChange<Immutable<O>>[];

/**
 * Reports every object of a kind and its changes, until the signal aborts or the platform stops: for plugins that decide by an index of
 * their own, such as authorizers. A failed watch is restarted after 500 ms, and objects deleted meanwhile are reported as gone. Never
 * rejects.
 *
 * @example
 * ```ts
 * void followKind({ resources: asPlugin, clock, log, signal }, Budget, {
 *   put: ({ metadata, spec }) => budgets.set(metadata.name, spec.monthlyEuro),
 *   removed: ({ name }) => budgets.delete(name),
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

/** Follows until the watch ends. The first batch holds all objects, so objects missing from it are gone. */
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
  take.removed(key);
}
