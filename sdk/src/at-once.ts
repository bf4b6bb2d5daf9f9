/** The same for every copy of this package in a process. */
const mark = Symbol.for('tappaas.at-once');

/**
 * Marks a method of a service that answers at once: from memory, never with a promise, and without beginning anything that goes on after
 * it has returned. The kernel need not follow such a call through what it would begin, which makes it several times cheaper; meant for
 * what every request asks, such as `authorize` of an authorizer that holds its rules in memory. It is given no context. A promise from it is refused with
 * TAP_PLUGIN_RESULT_INVALID, and what it begins all the same is nobody's when it fails.
 */
export function atOnce<A extends readonly unknown[], R>(method: (...args: A) => R): (...args: A) => R {
  return Object.defineProperty(method, mark, { value: true });
}

/** Whether a method is marked by `atOnce`. */
export const answersAtOnce = (method: object): boolean => mark in method;
