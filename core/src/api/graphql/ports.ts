import type { Clock, Logger } from '@tappaas/sdk';
import type { ReadyCheck, ServedAction, ServedField, ServedSubresource } from '../contributions.js';
import type { EnginePort } from '../engine-port.js';
import type { Authorize } from '../stages.js';

/** What GraphQL is made of; neighbours come as functions. */
export interface GraphqlParts {
  /** The platform's own engine, whose kinds the schema shows. */
  readonly engine: () => EnginePort;
  /** All engines by name: applications run on some of them. */
  readonly engines: () => ReadonlyMap<string, EnginePort>;
  readonly authorize: Authorize;
  readonly actions: () => readonly ServedAction[];
  readonly fields: () => readonly ServedField[];
  readonly subresources: () => readonly ServedSubresource[];
  readonly ready: () => readonly ReadyCheck[];
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: GraphqlSettings;
}

/** What an operator decides. */
export interface GraphqlSettings {
  /** Whether the schema may be asked for. */
  readonly introspection: boolean;
  /** Documents that alone are answered, by the SHA-256 of their text in hexadecimal; absent: every document is. */
  readonly documents?: ReadonlyMap<string, string>;
}
