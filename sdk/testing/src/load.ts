import type { Input, Plugin } from '@tappaas/sdk';

/** The instance id, and the settings that an operator can write beside `use` and `config`. */
export interface LoadOptions {
  /** Instance id. Default: the plugin's id. */
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
  /** As an operator writes it: keys with defaults may be left out. */
  readonly config: unknown;
  readonly options: Omit<LoadOptions, 'id'>;
}

/**
 * Combines a plugin and its configuration for {@link startTestKernel}. Nothing runs yet: an invalid configuration rejects the start with
 * the message that an operator would get.
 */
export function load<C>(plugin: Plugin<C>, config?: Input<C>, options: LoadOptions = {}): Loaded {
  const { id = plugin.id, ...others } = options;
  return Object.freeze({ id, plugin, config: config ?? {}, options: others });
}
