/**
 * The kernel's side of the SDK: the definitions behind the handles that plugins use. Exported as `@tappaas/sdk/definitions` for the kernel,
 * the recorder and the test kit; plugins do not need it.
 *
 * Definitions are stored on their handles under registered symbols, so that a handle from another installed copy of the SDK works.
 */
import type { TObject } from 'typebox';
import type { ErrorSpec } from './errors.js';
import type { KindDeclaration } from './kinds.js';
import type { PluginDeclaration } from './plugin.js';
import type { HookDeclaration } from './hooks/shape.js';
import type { KubernetesKindDeclaration } from './kubernetes-kind.js';

export type { KindDeclaration, KubernetesKindDeclaration, HookDeclaration, PluginDeclaration };

interface Definitions {
  kind: KindDeclaration<TObject, TObject>;
  kubernetesKind: KubernetesKindDeclaration;
  plugin: PluginDeclaration;
  hook: HookDeclaration;
}

const symbolOf = (what: keyof Definitions) => Symbol.for(`tappaas.dev/${what}`);

/** Key of the recorder that the build installs while it loads a plugin, to write the plugin's error codes into its manifest. */
const errorRecorder = Symbol.for('tappaas.dev/error-recorder');

type ErrorSpecs = Readonly<Record<string, ErrorSpec>>;

/** Passes a table of error codes to the recorder, if one is installed. */
export function recordErrors(table: ErrorSpecs): void {
  (globalThis as Record<symbol, ((table: ErrorSpecs) => void) | undefined>)[errorRecorder]?.(table);
}

/** Calls `run` and returns the error codes that were defined while it ran. Only one call at a time. */
export async function recordingErrors<R>(run: () => Promise<R>): Promise<{ readonly result: R; readonly errors: ErrorSpecs }> {
  const errors: Record<string, ErrorSpec> = {};
  const global = globalThis as Record<symbol, unknown>;
  global[errorRecorder] = (table: ErrorSpecs) => Object.assign(errors, table);
  try {
    return { result: await run(), errors };
  } finally {
    delete global[errorRecorder];
  }
}

/** Stores a definition on a handle. */
export function attachDefinition<H extends object>(handle: H, what: keyof Definitions, definition: unknown): H {
  return Object.defineProperty(handle, symbolOf(what), { value: definition, enumerable: false });
}

/** Returns the definition behind a handle; undefined if it has none of that sort. */
export function definitionOf<W extends keyof Definitions>(handle: unknown, what: W): Definitions[W] | undefined {
  if (typeof handle !== 'object' || handle === null) return undefined;
  return (handle as Record<symbol, Definitions[W] | undefined>)[symbolOf(what)];
}
