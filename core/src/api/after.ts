import type { Awaitable } from '@tappaas/sdk';

/** Goes on at once with what is there, and later with what is still to come: a promise costs as much as a whole stage of the chain. */
export function after<T, R>(value: Awaitable<T>, goOn: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then((settled) => goOn(settled)) : goOn(value);
}

/** The same with two things that it goes on with: what is there at once needs no function made to hold them. */
export function afterWith<T, R, A, B>(value: Awaitable<T>, goOn: (value: T, a: A, b: B) => Awaitable<R>, a: A, b: B): Awaitable<R> {
  return value instanceof Promise ? later(value, goOn, a, b) : goOn(value, a, b);
}

function later<T, R, A, B>(value: Promise<T>, goOn: (value: T, a: A, b: B) => Awaitable<R>, a: A, b: B): Promise<R> {
  return value.then((settled) => goOn(settled, a, b));
}

/** Runs `attempt`; what it throws, or rejects with later, is `rescue`'s to answer for. */
export function rescued<T>(attempt: () => Awaitable<T>, rescue: (error: unknown) => T): Awaitable<T> {
  return rescuedWith(attempt, rescue, undefined, undefined);
}

/** The same with two things that both are given. */
export function rescuedWith<T, A, B>(
  attempt: (a: A, b: B) => Awaitable<T>,
  rescue: (error: unknown, a: A, b: B) => T,
  a: A,
  b: B,
): Awaitable<T> {
  try {
    const done = attempt(a, b);
    return done instanceof Promise ? rescuedLater(done, rescue, a, b) : done;
  } catch (error) {
    return rescue(error, a, b);
  }
}

function rescuedLater<T, A, B>(done: Promise<T>, rescue: (error: unknown, a: A, b: B) => T, a: A, b: B): Promise<T> {
  return done.catch((error: unknown) => rescue(error, a, b));
}
