import type { Awaitable } from '@tappaas/sdk';

/** Calls `goOn` at once with a plain value, or when a promise resolves: an extra promise costs as much as a whole stage of the chain. */
export function after<T, R>(value: Awaitable<T>, goOn: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then((settled) => goOn(settled)) : goOn(value);
}

/** Same with two more arguments for `goOn`, so that callers need no closure. */
export function afterWith<T, R, A, B>(value: Awaitable<T>, goOn: (value: T, a: A, b: B) => Awaitable<R>, a: A, b: B): Awaitable<R> {
  return value instanceof Promise ? later(value, goOn, a, b) : goOn(value, a, b);
}

function later<T, R, A, B>(value: Promise<T>, goOn: (value: T, a: A, b: B) => Awaitable<R>, a: A, b: B): Promise<R> {
  return value.then((settled) => goOn(settled, a, b));
}

/** Runs `attempt`; when it throws or rejects, returns the result of `rescue`. */
export function rescued<T>(attempt: () => Awaitable<T>, rescue: (error: unknown) => T): Awaitable<T> {
  return rescuedWith(attempt, rescue, undefined, undefined);
}

/** Same with two more arguments for both functions, so that callers need no closures. */
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
