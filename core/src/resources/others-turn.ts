/** From here on a pass over all keys of an object takes milliseconds. */
const longKeys = 2_000;

/** Between two passes over an object of so many keys: where they are many, whatever else waits goes first. */
export function othersTurn(keys: number): Promise<void> | undefined {
  return keys < longKeys ? undefined : new Promise((resolve) => void setImmediate(resolve));
}
