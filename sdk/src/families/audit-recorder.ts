import type { Caller } from '../context.js';
import type { AnyKind } from '../kinds.js';

/** An action that a plugin took for a caller without an API request for it, such as a login. */
export interface AuditedAction {
  /** The caller whose name, groups and tenant the event gets. */
  readonly caller: Caller;
  /** The verb as in access control, such as `create`. */
  readonly verb: string;
  readonly kind: AnyKind;
  readonly namespace?: string;
  readonly name: string;
  /** The reason, for a human auditor; at most 512 characters are kept. */
  readonly reason: string;
  /** Id of the request that the action belongs to; absent for actions of the plugin by itself. */
  readonly requestId?: string;
}

/** Audits actions that are not API requests: the event names the plugin, and the audit policy treats it as a request for the same. */
export interface AuditRecorder {
  /** Resolves when the event is in the log. @throws TAP_AUDIT_UNAVAILABLE when a sink that must not miss events cannot accept it */
  record(action: AuditedAction): Promise<void>;
}
