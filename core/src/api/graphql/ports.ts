import type { Clock, Logger } from '@tappaas/sdk';
import type { ReadyCheck, ServedAction, ServedField, ServedSubresource } from '../contributions.js';
import type { EnginePort } from '../../ports/engine.js';
import type { Audit } from '../../ports/audit.js';
import type { AdmitFlow, Authorize } from '../stages.js';

/** What GraphQL depends on; other subsystems are passed as functions. */
export interface GraphqlParts {
  /** The platform's own engine, which serves the kinds of the schema. */
  readonly engine: () => EnginePort;
  /** All engines by name, including the clusters that run applications. */
  readonly engines: () => ReadonlyMap<string, EnginePort>;
  readonly authorize: Authorize;
  /** Flow control: each subscription takes a stream seat besides that of its connection, and another for each pod whose log it follows. */
  readonly flow: AdmitFlow;
  readonly audit: Audit;
  readonly actions: () => readonly ServedAction[];
  readonly fields: () => readonly ServedField[];
  readonly subresources: () => readonly ServedSubresource[];
  readonly clusterNamespace: FindClusterNamespace;
  /** Returns the latest scheduling decisions by pod uid; undefined where another scheduler decides, or the decision is too old. */
  readonly placements: (uids: readonly string[]) => Promise<readonly (PlacementDecision | undefined)[]>;
  readonly ready: () => readonly ReadyCheck[];
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: GraphqlSettings;
}

/** Finds the namespace that was created on a cluster for a namespace of the platform. */
export type FindClusterNamespace = (cluster: string, namespace: string, signal: AbortSignal) => Promise<FoundClusterNamespace>;

/**
 * `none`: the cluster has no such namespace, or it was created for another namespace of the platform. `unknown-cluster`: the platform does
 * not serve the objects of the cluster, because it is not loaded or has no engine.
 */
export type FoundClusterNamespace = { readonly name: string } | 'none' | 'unknown-cluster';

/** A scheduling decision about one pod, with its reasons. */
export interface PlacementDecision {
  readonly atMs: number;
  readonly attempt: number;
  readonly outcome: 'placed' | 'unschedulable' | 'failed';
  readonly nodes: number;
  readonly feasibleNodes: number;
  readonly refused: readonly { readonly plugin: string; readonly message: string; readonly nodes: number }[];
  readonly chosen?:
    | {
        readonly node: string;
        readonly parts: readonly { readonly plugin: string; readonly points: number; readonly weight: number }[];
      }
    | undefined;
  readonly message?: string | undefined;
}

/** Settings of the operator. */
export interface GraphqlSettings {
  /** Whether introspection is allowed. */
  readonly introspection: boolean;
  /** The only documents that are answered, by the SHA-256 of their text in hexadecimal; absent: all are. */
  readonly documents?: ReadonlyMap<string, string>;
}
