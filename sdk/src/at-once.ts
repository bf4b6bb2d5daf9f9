/** A registered symbol, the same for every copy of this package in a process. */
const mark = Symbol.for('tappaas.at-once');

/**
 * Marks a method of a service as synchronous: it answers from memory, never with a promise, and starts nothing that continues after it has
 * returned. The kernel need not track asynchronous work of such a call, which makes it several times cheaper; it is meant for calls made by
 * every request, such as `authorize` of an authorizer that holds its rules in memory. The method gets no context. A returned promise is
 * refused with TAP_PLUGIN_RESULT_INVALID; failures of work that it starts nevertheless are not attributed to the plugin.
 */
export function atOnce<A extends readonly unknown[], R>(method: (...args: A) => R): (...args: A) => R {
  return Object.defineProperty(method, mark, { value: true });
}

/** Whether a method was marked with `atOnce`. */
export const answersAtOnce = (method: object): boolean => mark in method;
