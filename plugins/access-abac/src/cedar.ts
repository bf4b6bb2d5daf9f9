import { createRequire } from 'node:module';
import type * as Wasm from '@cedar-policy/cedar-wasm/nodejs';

export type Cedar = typeof Wasm;

/**
 * A Cedar instance with one owner, compiled from WebAssembly on first use: some tenths of a second the first time in a
 * process, some hundredths later. A trap, for example by a text that is nested too deep for its stack, leaves its
 * memory in an undefined state, and every later call could trap; the next call therefore gets a new instance.
 */
export class OwnCedar {
  #instance: Cedar | undefined;

  /** @throws the error of `call` */
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
  // A separate `require`: otherwise its module cache would keep every instance ever loaded.
  const load = createRequire(import.meta.url);
  const path = load.resolve('@cedar-policy/cedar-wasm/nodejs');
  const made = load(path) as Cedar;
  // The module keeps one Cedar instance internally: a new instance requires loading the module again.
  delete load.cache[path];
  return made;
}

/** Whether WebAssembly execution was aborted, as opposed to an error that Cedar reports about its input. */
export function isTrap(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === 'RuntimeError');
}
