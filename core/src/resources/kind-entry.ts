import type { AnyKind, Caller, KindBehaviour, KubernetesKindDeclaration } from '@tappaas/sdk';
import type { FieldType } from './schema/field-type.js';
import type { ServedKind, ServedSubresource } from '../ports/engine.js';
import type { JsonObject } from './schema/json-value.js';
import type { Strategy } from './strategy.js';

/** Where the scale subresource finds its numbers. */
export interface ScalePaths {
  readonly replicasPath: string;
  readonly statusReplicasPath?: string;
  readonly selectorPath?: string;
}

/** What a virtual kind, such as an access review, is given besides the object. */
export interface VirtualRequest {
  readonly caller: Caller;
  readonly namespace: string | undefined;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/** Answers a create of a kind that is never stored. */
export type VirtualHandler = (object: JsonObject, request: VirtualRequest) => Promise<JsonObject>;

/** A kind as somebody contributes it. */
export interface KindRegistration {
  readonly kind: AnyKind;
  /** Typed by its kind where it was written; here it is called with objects of that kind only. */
  readonly behaviour?: KindBehaviour<AnyKind>;
  /** Instance id of the plugin, or `kernel`. */
  readonly plugin: string;
  readonly strategy?: Strategy;
  /** Makes the kind virtual: only `create`, answered by this function. */
  readonly virtual?: VirtualHandler;
  /** Actions and other subresources that are answered elsewhere; listed in discovery. */
  readonly subresources?: readonly ServedSubresource[];
  /** Columns, short names and fields of a Kubernetes kind that its generated declaration lacks. */
  readonly extra?: Partial<Pick<KubernetesKindDeclaration, 'columns' | 'fields' | 'shortNames' | 'categories'>>;
  /** The stored bytes are sealed, and plugins see them only with `secrets:read`. */
  readonly isConfidential?: boolean;
  /** Creating an object, or changing its spec, begins an Operation with this verb. The status has a field `operation` that names it. */
  readonly operation?: { readonly verb: string };
}

/** The way of a spec to the stored version and back; both round-trip. */
export interface Conversion {
  toHub(spec: unknown): unknown;
  fromHub(spec: unknown): unknown;
}

/** One served version of a kind. */
export interface KindVersionEntry {
  readonly served: ServedKind;
  readonly apiVersion: string;
  /** Absent where the version is the stored one. */
  readonly conversion: Conversion | undefined;
  /** Structure of the whole object; compiled when first asked for. */
  readonly type: FieldType;
}

/** All that the engine knows about one kind. */
export interface KindEntry {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** Instance id of the plugin that contributes the kind, or `kernel`. */
  readonly plugin: string;
  readonly isKubernetes: boolean;
  /** All keys of the kind's objects start with it. */
  readonly prefix: string;
  /** The stored version. */
  readonly hub: KindVersionEntry;
  readonly versions: ReadonlyMap<string, KindVersionEntry>;
  readonly verbs: ReadonlySet<string>;
  readonly hasStatus: boolean;
  readonly hasGeneration: boolean;
  readonly scale: ScalePaths | undefined;
  /** Path below the object of each field that has an index. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** The same with name and namespace: everything that may stand in field selectors. */
  readonly selectable: ReadonlyMap<string, readonly string[]>;
  readonly immutable: readonly (readonly string[])[];
  readonly behaviour: KindBehaviour<AnyKind>;
  readonly strategy: Strategy;
  readonly virtual: VirtualHandler | undefined;
  readonly operation: KindRegistration['operation'];
  readonly isConfidential: boolean;
  /** The plugin that contributed the kind is not loaded: its objects can be read only. */
  readonly isOrphaned: boolean;
}

/** `Group/Kind`, which names a kind whatever its version. */
export const groupKindOf = (kind: { readonly group: string; readonly kind: string }): string => `${kind.group}/${kind.kind}`;

/** `group/version`, or the version alone in the core group. */
export const apiVersionOf = (kind: { readonly group: string; readonly version: string }): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
