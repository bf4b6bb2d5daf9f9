/** Decides on an answer when it is there: at once, as long as authorizers answer at once. */
export function onceKnown<A, B>(answer: A | Promise<A>, decide: (answer: A) => B | Promise<B>): B | Promise<B> {
  return answer instanceof Promise ? answer.then(decide) : decide(answer);
}
