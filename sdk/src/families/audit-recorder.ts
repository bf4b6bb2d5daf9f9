import type { Caller } from '../context.js';
import type { AnyKind } from '../kinds.js';

/** Something that a plugin has done for somebody who did not ask for it by a request of the API, such as a log-in. */
export interface AuditedDeed {
  /** For whom: whose name, groups and tenant the event has. */
  readonly caller: Caller;
  /** As access names verbs, such as `create`. */
  readonly verb: string;
  readonly kind: AnyKind;
  readonly namespace?: string;
  readonly name: string;
  /** Why, in words for an auditor; at most 512 characters are kept. */
  readonly reason: string;
  /** Of the request that it belongs to; absent for what the plugin did by itself. */
  readonly requestId?: string;
}

/** Tells audit what no request tells: the event names the plugin, and the policy decides about it as about a request for the same. */
export interface AuditRecorder {
  /** Resolves when the event has its place in the log. @throws TAP_AUDIT_UNAVAILABLE when a sink that must not miss it cannot take it */
  record(deed: AuditedDeed): Promise<void>;
}
