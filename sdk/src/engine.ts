import type { ConversationSubresource } from './conversation.js';
import type { RequestContext } from './context.js';
import type { ClusterConnection } from './families/cluster.js';
import type { AnyKind, Key, KindBehaviour } from './kinds.js';
import type { HttpAnswer, HttpRequest } from './route.js';

/** A kind of a plugin's engine, with its code. */
export interface EngineKind<K extends AnyKind = AnyKind> {
  readonly kind: K;
  readonly behaviour?: KindBehaviour<K>;
}

/**
 * A subresource served by the plugin, such as `pods/log`. The kernel authorizes the request as `{plural}/{name}` before it calls `handle`,
 * and refuses a POST with `If-Match`, `If-None-Match` or `Idempotency-Key`.
 */
export interface Subresource {
  readonly kind: AnyKind;
  readonly name: string;
  readonly method: 'GET' | 'POST';
  handle(request: HttpRequest & { readonly key: Key }, context: RequestContext): Promise<HttpAnswer>;
}

/** The options of a plugin's engine. */
export interface EngineOptions {
  /** Part of the mount path `/clusters/{name}` and of store keys: permanent. */
  readonly name: string;
  readonly description: string;
  readonly kinds: readonly EngineKind[];
  readonly subresources?: readonly Subresource[];
  readonly conversations?: readonly ConversationSubresource[];
}

/** A registered engine. Controllers and taps name it in their `engine` option. */
export interface EngineHandle {
  readonly name: string;
  /**
   * Creates credentials for a process of the plugin, such as a node agent: valid until the platform's next start, after which a new call
   * returns new ones. Works only once the API listens, so call it in a task, not in `onStart`.
   *
   * @throws TAP_ENGINE_NOT_SERVED before the API listens.
   */
  connection(user: { readonly name: string; readonly groups: readonly string[] }): Promise<ClusterConnection>;
}

/** Creates an {@link EngineKind} whose behaviour is typed by its kind. */
export function engineKind<K extends AnyKind>(kind: K, behaviour?: KindBehaviour<K>): EngineKind {
  return behaviour === undefined ? { kind } : { kind, behaviour };
}
