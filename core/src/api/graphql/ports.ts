import type { Clock, Logger } from '@tappaas/sdk';
import type { ReadyCheck, ServedAction, ServedField, ServedSubresource } from '../contributions.js';
import type { EnginePort } from '../../ports/engine.js';
import type { Audit } from '../../ports/audit.js';
import type { AdmitFlow, Authorize } from '../stages.js';

/** What GraphQL is made of; neighbours come as functions. */
export interface GraphqlParts {
  /** The platform's own engine, whose kinds the schema shows. */
  readonly engine: () => EnginePort;
  /** All engines by name: applications run on some of them. */
  readonly engines: () => ReadonlyMap<string, EnginePort>;
  readonly authorize: Authorize;
  /** Each subscription has a stream's seat, besides that of its connection. */
  readonly flow: AdmitFlow;
  readonly audit: Audit;
  readonly actions: () => readonly ServedAction[];
  readonly fields: () => readonly ServedField[];
  readonly subresources: () => readonly ServedSubresource[];
  /** The namespace that a cluster has for one of the platform's; nothing of a cluster that is not loaded. */
  readonly clusterNamespace: (cluster: string, namespace: string) => string | undefined;
  /** The latest decisions about where these pods run, by uid; nothing where another scheduler decides, or it is long ago. */
  readonly placements: (uids: readonly string[]) => Promise<readonly (PlacementDecision | undefined)[]>;
  readonly ready: () => readonly ReadyCheck[];
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: GraphqlSettings;
}

/** What was decided about one pod, and why. */
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

/** What an operator decides. */
export interface GraphqlSettings {
  /** Whether the schema may be asked for. */
  readonly introspection: boolean;
  /** Documents that alone are answered, by the SHA-256 of their text in hexadecimal; absent: every document is. */
  readonly documents?: ReadonlyMap<string, string>;
}
