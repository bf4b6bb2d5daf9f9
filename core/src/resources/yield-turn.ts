/** From this number of keys on, a pass over all keys of an object takes milliseconds. */
const longKeys = 2_000;

/** Yields to other work between two passes over an object with many keys; undefined when there are few. */
export function yieldTurn(keys: number): Promise<void> | undefined {
  return keys < longKeys ? undefined : new Promise((resolve) => void setImmediate(resolve));
}
