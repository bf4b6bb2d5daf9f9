/** A JSON Schema with the keywords that configurations support; see config/schema-check.ts. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One tap of a manifest, with everything needed before the plugin's code is loaded. */
export interface ManifestTap {
  readonly hook: string;
  readonly contract: number;
  readonly name?: string;
  /** `<group>/<kind>`; the core group is empty. */
  readonly kinds?: readonly string[];
  /** `{instance}` is replaced by the instance's id. */
  readonly engine?: string;
  readonly operations?: readonly string[];
  readonly sideEffects?: string;
  readonly stores?: readonly string[];
  readonly phase?: string;
  readonly conditions?: readonly string[];
  /** Plugin ids. */
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly timeoutMs?: number;
  readonly failurePolicy?: 'fail' | 'ignore';
}

export interface ManifestService {
  readonly id: string;
  readonly contract: number;
  readonly arity: 'one' | 'keyed';
}

/** A service that a plugin uses; `as` is its name among the plugin's `needs`. */
export interface ManifestNeed extends ManifestService {
  readonly as: string;
  readonly optional: boolean;
}

/** Registrations of a plugin other than taps and services. */
export interface ManifestParts {
  readonly kinds: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
  readonly controllers: readonly { readonly kind: string; readonly engine?: string; readonly renders: boolean }[];
  readonly actions: readonly { readonly kind: string; readonly name: string; readonly description: string; readonly long: boolean }[];
  readonly fields: readonly { readonly kind: string; readonly name: string; readonly description: string }[];
  readonly routes: readonly { readonly method: string; readonly path: string; readonly auth: string; readonly description: string }[];
  readonly engines: readonly { readonly name: string; readonly description: string; readonly kinds: readonly string[] }[];
  readonly columns: readonly { readonly name: string; readonly unit: string; readonly description: string }[];
  readonly tasks: readonly { readonly name: string; readonly on: string; readonly everyMs: number }[];
  readonly counters: readonly string[];
  readonly lifecycle: { readonly starts: number; readonly stops: number; readonly takesConfig: boolean };
}

/** Permissions as data, with kinds by name. */
export interface ManifestPermissions {
  readonly resources?: readonly { readonly kind: string; readonly verbs: readonly string[] }[];
  readonly cluster?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
  readonly secrets?: readonly string[];
  readonly identity?: { readonly signs?: true; readonly users?: readonly string[]; readonly groups?: readonly string[] };
  readonly files?: readonly string[];
  readonly network?: readonly (string | { readonly fromConfig: string })[];
}

/** An error code that a plugin defines. */
export interface ManifestError {
  readonly code: string;
  readonly httpStatus: number;
  readonly blame: string;
  readonly retry: string;
  readonly remedy: string;
}

/**
 * The description of a plugin as data: written when the plugin is built, and checked before any of its code runs.
 * `package.json#tappaas.manifest` names the file.
 */
export interface PluginManifest {
  readonly manifestVersion: 1;
  readonly id: string;
  readonly package: string;
  readonly version: string;
  readonly description: string;
  readonly stability: 'experimental' | 'beta' | 'stable';
  /** Compatible kernel versions, as a semantic version range. */
  readonly kernel: string;
  readonly config: JsonSchema;
  readonly permissions: ManifestPermissions;
  readonly needs: readonly ManifestNeed[];
  readonly provides: readonly ManifestService[];
  readonly taps: readonly ManifestTap[];
  readonly parts: ManifestParts;
  readonly errors: readonly ManifestError[];
}

/** Formats a tap for messages: `admission.validate` or `admission.validate/<name>`. */
export function tapLabel(tap: ManifestTap): string {
  return tap.name === undefined ? tap.hook : `${tap.hook}/${tap.name}`;
}

/** Placeholder for the instance's id in a manifest. */
export const instancePlaceholder = '{instance}';
