import type { RequestContext, RouteContext } from './context.js';
import type { Strings } from './values.js';

/** A request to a plugin's route; header names are lower-case, the path's parameters are decoded. */
export type HttpRequest = Readonly<{ params: Strings; query: Strings; headers: Strings; body: Uint8Array }>;

/** The answer of a plugin's route; an iterable body is streamed. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Strings;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/**
 * A raw route for foreign protocols such as webhooks, at `/plugins/{instance id}{path}`; `:name` in the path is a parameter.
 *
 * `self`: the handler authenticates from the raw bytes; it has no caller. Audit is told of the first requests of an address one by one, and of further ones how
 * many they were: a handler tells audit itself what it does for somebody, by `AuditRecorder`.
 */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: `/${string}`;
  readonly description: string;
  readonly bodyBytesMax: number;
  /**
   * Roles and policies name the route as `/plugins/-{path}`, whatever an operator calls the instance: for what one instance of a platform
   * serves, and default roles speak of. Default: by the instance, `/plugins/{instance id}{path}`.
   */
  readonly isWellKnown?: boolean;
  /**
   * For a route that people visit: the path of this plugin where they begin again, in which `:name` is that parameter of this route. A browser
   * that is refused, by the handler or before it is reached, then sees a small page with the reason, what to do and this link, unless it asks for
   * JSON (`Accept`). Default: everybody is told a Status.
   *
   * @example `'/login?issuer=:issuer'`
   */
  readonly beginAgainAt?: `/${string}`;
} & (
  | { readonly auth: 'caller'; handle(request: HttpRequest, context: RequestContext): Promise<HttpAnswer> }
  | { readonly auth: 'self'; handle(request: HttpRequest, context: RouteContext): Promise<HttpAnswer> }
);
