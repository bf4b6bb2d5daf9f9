import type { TObject, TSchema } from 'typebox';
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
  /** Default: OpenAPI says that any query, body and response are possible. */
  readonly openApi?: SubresourceOpenApi;
  handle(request: HttpRequest & { readonly key: Key }, context: RequestContext): Promise<HttpAnswer>;
}

/**
 * What OpenAPI says of a subresource that the plugin serves. It informs clients only: the kernel checks neither requests nor responses
 * against it. A `$ref` to `#/components/schemas/{name}` refers to the schema of that name in `kubernetesSchemas`, or to
 * `io.k8s.apimachinery.pkg.apis.meta.v1.Status`.
 *
 * @example
 * ```ts
 * const log: SubresourceOpenApi = {
 *   description: 'Reads the log of a container.',
 *   query: Type.Object({ tailLines: Type.Optional(Type.Integer({ minimum: 0, description: 'Lines from the end.' })) }),
 *   response: { status: 200, mediaType: 'text/plain', schema: Type.String() },
 * };
 * ```
 */
export interface SubresourceOpenApi {
  /** One sentence. */
  readonly description: string;
  /** Its properties are the query parameters. Default: none. */
  readonly query?: TObject;
  /** Schema of a JSON request body. Default: no body. */
  readonly body?: TSchema;
  /** The response to a request that succeeds; errors are described by the kernel. Default: every request is refused. */
  readonly response?: { readonly status: number; readonly mediaType: string; readonly schema: TSchema };
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
