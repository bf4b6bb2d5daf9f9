import { createHook } from 'node:async_hooks';
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Resources of the language itself; everything else is a timer, a handle or a request. */
const harmless = new Set(['PROMISE', 'TickObject', 'Microtask', 'AsyncLocalStorage']);

type Patchable = Record<string, unknown>;

/**
 * Calls `run` while watching for I/O: asynchronous resources that it opens (sockets, files, timers, processes), and the synchronous
 * functions of `node:fs` and `node:child_process`. Returns the result and what was observed.
 *
 * It helps honest authors, but is not a sandbox: it can be circumvented deliberately.
 */
export function watchPurity<R>(run: () => R, refuse: (what: string) => Error): { readonly result: R; readonly seen: readonly string[] } {
  const seen: string[] = [];
  const callbacks = {
    init(_id: number, type: string) {
      if (!harmless.has(type)) seen.push(type);
    },
    /** Not in the type declarations yet: avoids an event for every promise. */
    trackPromises: false,
  };
  const hook = createHook(callbacks);
  const restore = [fs as Patchable, childProcess as Patchable].map((module) =>
    refuseSynchronous(module, (name) => {
      seen.push(name);
      return refuse(name);
    }),
  );
  syncBuiltinESMExports();
  hook.enable();
  try {
    return { result: run(), seen };
  } finally {
    hook.disable();
    for (const undo of restore) undo();
    syncBuiltinESMExports();
  }
}

/** Replaces every `…Sync` function of a built-in module with one that throws; returns the function that restores them. */
function refuseSynchronous(module: Patchable, refuse: (name: string) => Error): () => void {
  const names = Object.keys(module).filter((name) => name.endsWith('Sync') && typeof module[name] === 'function');
  const originals = names.map((name) => [name, module[name]] as const);
  for (const name of names) {
    module[name] = () => {
      throw refuse(name);
    };
  }
  return () => {
    for (const [name, original] of originals) module[name] = original;
  };
}
