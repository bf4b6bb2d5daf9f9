import type { Input, Plugin } from '@tappaas/sdk';

/** What an operator may write beside `use` and `config`, and the name of the instance. */
export interface LoadOptions {
  /** Default: the plugin's id. */
  readonly id?: string;
  readonly mode?: 'enforce' | 'shadow' | 'off';
  readonly onBootFailure?: 'stop' | 'continue';
  readonly limits?: Readonly<Record<string, { readonly timeoutMs?: number; readonly failurePolicy?: 'fail' | 'ignore' }>>;
}

/** A plugin with its configuration, as an operator would load it. */
export interface Loaded {
  /** Instance id. */
  readonly id: string;
  readonly plugin: Plugin;
  /** As an operator writes it: defaults left out. */
  readonly config: unknown;
  readonly options: Omit<LoadOptions, 'id'>;
}

/**
 * Names a plugin and its configuration for {@link startTestKernel}. Nothing runs yet; a mistake in the configuration rejects the start
 * with the text that an operator would read.
 */
export function load<C>(plugin: Plugin<C>, config?: Input<C>, options: LoadOptions = {}): Loaded {
  const { id = plugin.id, ...others } = options;
  return Object.freeze({ id, plugin, config: config ?? {}, options: others });
}
