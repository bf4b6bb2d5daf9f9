/** Applies `decide` to an answer: synchronously if it is available, so that decisions stay synchronous as long as authorizers are. */
export function onceKnown<A, B>(answer: A | Promise<A>, decide: (answer: A) => B | Promise<B>): B | Promise<B> {
  return answer instanceof Promise ? answer.then(decide) : decide(answer);
}
