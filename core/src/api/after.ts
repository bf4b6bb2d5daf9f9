import type { Awaitable } from '@tappaas/sdk';

/** Goes on at once with what is there, and later with what is still to come: a promise costs as much as a whole stage of the chain. */
export function after<T, R>(value: Awaitable<T>, goOn: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then((settled) => goOn(settled)) : goOn(value);
}

/** Runs `attempt`; what it throws, or rejects with later, is `rescue`'s to answer for. */
export function rescued<T>(attempt: () => Awaitable<T>, rescue: (error: unknown) => T): Awaitable<T> {
  try {
    const done = attempt();
    return done instanceof Promise ? done.catch(rescue) : done;
  } catch (error) {
    return rescue(error);
  }
}
