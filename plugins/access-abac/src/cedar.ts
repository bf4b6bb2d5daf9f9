import { createRequire } from 'node:module';
import type * as Wasm from '@cedar-policy/cedar-wasm/nodejs';

export type Cedar = typeof Wasm;

let loaded: Cedar | undefined;

/** Cedar, compiled to WebAssembly: loaded when it is first needed, which takes some tenths of a second. */
export function cedar(): Cedar {
  loaded ??= createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as Cedar;
  return loaded;
}
