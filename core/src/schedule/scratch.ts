/** Lists of slots that are reused by consecutive evaluations; for synchronous code only. */
export interface Scratch {
  readonly changed: Int32Array;
  readonly first: Int32Array;
  readonly second: Int32Array;
}

export function makeScratch(capacity: number): Scratch {
  return { changed: new Int32Array(capacity), first: new Int32Array(capacity), second: new Int32Array(capacity) };
}
