/** Values that exist only where they were put, and are searched for in the output. */
import type { ExecutionContext } from 'ava';

/** In the clear, and as it would look in base64 and in hex. */
export function formsOf(canary: string): readonly string[] {
  const bytes = Buffer.from(canary);
  return [canary, bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')];
}

/** Fails with what stands around a needle. */
export function isClean(t: ExecutionContext, where: string, text: string, needles: readonly string[]): void {
  for (const needle of needles) {
    const at = text.indexOf(needle);
    t.is(at, -1, `${where}: …${text.slice(Math.max(0, at - 120), at + 120)}…`);
  }
}
