import type { ExecutionContext } from 'ava';

/** Asks again and again until nobody listens any more; anything but a refused connection at the end fails the test. */
export async function untilRefused(t: ExecutionContext, ask: () => Promise<void>): Promise<void> {
  const codeOf = (asked: Promise<void>) =>
    asked.then(
      () => undefined,
      ({ code }: NodeJS.ErrnoException) => code,
    );
  let code;
  do code = await codeOf(ask());
  while (code === undefined);
  // Who connects at the very moment at which a listener closes is told by a reset; whoever comes then is refused.
  if (code === 'ECONNRESET') code = await codeOf(ask());
  t.is(code, 'ECONNREFUSED');
}
