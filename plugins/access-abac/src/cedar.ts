import { createRequire } from 'node:module';
import type * as Wasm from '@cedar-policy/cedar-wasm/nodejs';

export type Cedar = typeof Wasm;

/**
 * A Cedar of one's own, compiled to WebAssembly: made when it is first needed, which takes some tenths of a second the first time in a
 * process and some hundredths later. What traps in it (a text that is nested too deep for its stack) leaves its memory as it stood, and
 * every later call may trap then, so the next call gets another one.
 */
export class OwnCedar {
  #instance: Cedar | undefined;

  /** @throws whatever `call` throws */
  use<T>(call: (cedar: Cedar) => T): T {
    this.#instance ??= makeCedar();
    try {
      return call(this.#instance);
    } catch (error) {
      if (isTrap(error)) this.#instance = undefined;
      throw error;
    }
  }
}

function makeCedar(): Cedar {
  // Of its own, since it would remember every module that it has ever loaded.
  const load = createRequire(import.meta.url);
  const path = load.resolve('@cedar-policy/cedar-wasm/nodejs');
  const made = load(path) as Cedar;
  // The module keeps its instance to itself: another instance is another module.
  delete load.cache[path];
  return made;
}

/** Whether WebAssembly was broken off, rather than that it was called with something that it does not know. */
export function isTrap(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === 'RuntimeError');
}
