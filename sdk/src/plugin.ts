import { Type, type Static, type TObject } from 'typebox';
import { attachDefinition } from './definitions.js';
import type { Host } from './host.js';
import type { AnyKind } from './kinds.js';
import type { Secret, SecretSource } from './secret.js';
import type { Given, Service } from './service.js';
import type { Immutable, Sync } from './values.js';

/**
 * What an operator may write for `T`: keys with a default may be left out. The types of the schema library do not show which keys have one,
 * so every key is optional here, and loading reports missing keys.
 */
export type Input<T> = T extends Secret
  ? SecretSource
  : T extends readonly (infer I)[]
    ? readonly Input<I>[]
    : T extends object
      ? { readonly [P in keyof T]?: Input<T[P]> }
      : T;

/** What the plugin may do. Enforced in the SDK's clients; permissions beyond those in tappaas.lock are refused until approved. */
export interface Permissions {
  readonly resources?: readonly {
    readonly kind: AnyKind;
    readonly verbs: readonly ('get' | 'list' | 'watch' | 'create' | 'update' | 'delete')[];
  }[];
  /**
   * Objects that the plugin renders outside the namespace in the facts of a render: in no namespace, or in another one. The verbs must
   * include `create`, whether the kind's controller or a tap renders the object. Objects inside the namespace need no permission.
   */
  readonly cluster?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
  /** Secret references that the plugin may read; `secrets:read` shows secret data to its admission taps. */
  readonly secrets?: readonly string[];
  /** What the plugin may assert about callers beyond what any authenticator may. */
  readonly identity?: {
    /** Signs tokens with the platform's key. */
    readonly signs?: true;
    /** Reserved user names that its callers may have, with a trailing `*` for any rest; only below `system:serviceaccount:`. */
    readonly users?: readonly string[];
    /** Reserved groups that its callers may be in; only `system:serviceaccounts` and below it. */
    readonly groups?: readonly string[];
  };
  /** Files it may access. `files` and `network` are enforced only where the plugin runs in a process of its own. */
  readonly files?: readonly string[];
  readonly network?: readonly (`${string}:${number}` | { readonly fromConfig: `/${string}` })[];
}

/** A declared plugin: the default export of its package. */
export interface Plugin<C = unknown> {
  readonly $type: 'tappaas/plugin';
  readonly id: string;
  readonly '~config'?: C;
}

/** The declaration behind a {@link Plugin}, for the kernel. */
export interface PluginDeclaration {
  readonly id: string;
  readonly stability: 'experimental' | 'beta' | 'stable';
  readonly config: TObject;
  readonly example: unknown;
  readonly permissions: Permissions;
  readonly needs: Readonly<Record<string, Service<unknown>>>;
  setup(host: Host<unknown>, config: unknown, services: Readonly<Record<string, unknown>>): Sync;
}

/** The options of {@link definePlugin}. */
export interface PluginOptions<C extends TObject, N extends Readonly<Record<string, Service<unknown>>>> {
  /** Lower-case words joined by hyphens; error codes and default instance ids are derived from it. */
  readonly id: string;
  readonly stability?: 'experimental' | 'beta' | 'stable';
  readonly config?: C;
  readonly permissions?: Permissions;
  /** A valid configuration, for the recorder, the README and the conformance suite. Required with `config`. */
  readonly example?: Input<Static<C>>;
  /** The services that the plugin uses. A handle is live (it follows the provider's reloads); using one in `setup` is TAP_SETUP_IMPURE. */
  readonly needs?: N;
  /**
   * Registers everything, synchronously and without I/O. The registrations must not depend on the configuration. A reload runs it again
   * with the new configuration while the old generation drains.
   */
  setup(host: Host<Static<C>>, config: Immutable<Static<C>>, services: Given<N>): Sync;
}

const idForm = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Declares a plugin. The build runs `setup` once with `example` against a recorder, which writes the manifest; a registration at load that
 * is missing from the manifest is TAP_PLUGIN_UNDECLARED.
 *
 * @throws TypeError when the id is malformed or `example` is missing beside `config`.
 * @example
 * ```ts
 * export default definePlugin({
 *   id: 'greeter',
 *   setup(host) { host.onStart(async ({ log }) => log.info('hello')); },
 * });
 * ```
 */
export function definePlugin<C extends TObject = TObject<{}>, const N extends Readonly<Record<string, Service<unknown>>> = {}>(
  options: PluginOptions<C, N>,
): Plugin<Static<C>> {
  if (!idForm.test(options.id)) throw new TypeError(`plugin id "${options.id}" is not lower-case words joined by hyphens`);
  if (options.config !== undefined && options.example === undefined) {
    throw new TypeError(`plugin ${options.id} declares config but no example; add one valid configuration as "example"`);
  }
  const declaration: PluginDeclaration = {
    id: options.id,
    stability: options.stability ?? 'experimental',
    config: options.config ?? Type.Object({}),
    example: options.example ?? {},
    permissions: options.permissions ?? {},
    needs: options.needs ?? {},
    setup: (host, config, services) => options.setup(host as Host<Static<C>>, config as Immutable<Static<C>>, services as Given<N>),
  };
  return Object.freeze(attachDefinition({ $type: 'tappaas/plugin' as const, id: options.id }, 'plugin', Object.freeze(declaration)));
}
