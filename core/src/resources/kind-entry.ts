import type { AnyKind, Caller, KindBehaviour, KubernetesKindDeclaration } from '@tappaas/sdk';
import type { FieldType } from './schema/field-type.js';
import type { ServedKind, ServedSubresource } from '../ports/engine.js';
import type { JsonObject } from './schema/json-value.js';
import type { Strategy } from './strategy.js';

/** Paths of the numbers that the scale subresource reads. */
export interface ScalePaths {
  readonly replicasPath: string;
  readonly statusReplicasPath?: string;
  readonly selectorPath?: string;
}

/** The request context that a virtual kind, such as an access review, receives with the object. */
export interface VirtualRequest {
  readonly caller: Caller;
  readonly namespace: string | undefined;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/** Handles a create of a kind that is never stored. */
export type VirtualHandler = (object: JsonObject, request: VirtualRequest) => Promise<JsonObject>;

/** A kind as contributed by a plugin or the kernel. */
export interface KindRegistration {
  readonly kind: AnyKind;
  /** Typed by its kind where it is declared; called with objects of that kind only. */
  readonly behaviour?: KindBehaviour<AnyKind>;
  /** Instance id of the plugin, or `kernel`. */
  readonly plugin: string;
  readonly strategy?: Strategy;
  /** Makes the kind virtual: it supports only `create`, which this function handles. */
  readonly virtual?: VirtualHandler;
  /** Actions and other subresources that other stages handle; listed in discovery. */
  readonly subresources?: readonly ServedSubresource[];
  /** Columns, short names and fields that the generated declaration of a Kubernetes kind lacks. */
  readonly extra?: Partial<Pick<KubernetesKindDeclaration, 'columns' | 'fields' | 'shortNames' | 'categories'>>;
  /** The stored bytes are sealed, and plugins read them only with `secrets:read`. */
  readonly isConfidential?: boolean;
  /** Creating an object, or changing its spec, begins an Operation with this verb. The status field `operation` names it. */
  readonly operation?: { readonly verb: string };
}

/** Converts a spec to the stored version and back, without loss in either direction. */
export interface Conversion {
  toHub(spec: unknown): unknown;
  fromHub(spec: unknown): unknown;
}

/** One served version of a kind. */
export interface KindVersionEntry {
  readonly served: ServedKind;
  readonly apiVersion: string;
  /** Absent for the stored version. */
  readonly conversion: Conversion | undefined;
  /** Field type of the whole object; compiled on first access. */
  readonly type: FieldType;
}

/** Everything the engine knows about one kind. */
export interface KindEntry {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** Instance id of the plugin that contributes the kind, or `kernel`. */
  readonly plugin: string;
  readonly isKubernetes: boolean;
  /** Prefix of all keys of the kind's objects. */
  readonly prefix: string;
  /** The stored version. */
  readonly hub: KindVersionEntry;
  readonly versions: ReadonlyMap<string, KindVersionEntry>;
  readonly verbs: ReadonlySet<string>;
  readonly hasStatus: boolean;
  readonly hasGeneration: boolean;
  readonly scale: ScalePaths | undefined;
  /** Path within the object of each indexed field. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** The indexed fields plus name and namespace: all fields that field selectors may use. */
  readonly selectable: ReadonlyMap<string, readonly string[]>;
  readonly immutable: readonly (readonly string[])[];
  readonly behaviour: KindBehaviour<AnyKind>;
  readonly strategy: Strategy;
  readonly virtual: VirtualHandler | undefined;
  readonly operation: KindRegistration['operation'];
  readonly isConfidential: boolean;
  /** The plugin that contributed the kind is not loaded, so its objects are read-only. */
  readonly isOrphaned: boolean;
}

/** `Group/Kind`, which identifies a kind regardless of version. */
export const groupKindOf = (kind: { readonly group: string; readonly kind: string }): string => `${kind.group}/${kind.kind}`;

/** `group/version`, or the version alone in the core group. */
export const apiVersionOf = (kind: { readonly group: string; readonly version: string }): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
