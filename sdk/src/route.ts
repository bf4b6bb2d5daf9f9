import type { RequestContext, RouteContext } from './context.js';
import type { Strings } from './values.js';

/** A request to a plugin's route; header names are in lower case, path parameters are decoded. */
export type HttpRequest = Readonly<{ params: Strings; query: Strings; headers: Strings; body: Uint8Array }>;

/** The response of a plugin's route; an iterable body is streamed. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Strings;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/**
 * A raw route for foreign protocols such as webhooks, at `/plugins/{instance id}{path}`; `:name` in the path is a parameter.
 *
 * `self`: the handler authenticates from the raw bytes; it has no caller. The first requests of an address are audited individually,
 * further ones only as a count: a handler must record what it does for a caller itself, with `AuditRecorder`.
 */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: `/${string}`;
  readonly description: string;
  readonly bodyBytesMax: number;
  /**
   * Roles and policies refer to the route as `/plugins/-{path}`, whatever the operator calls the instance: for routes that only one
   * instance of a platform serves and that default roles mention. Default: by instance, `/plugins/{instance id}{path}`.
   */
  readonly isWellKnown?: boolean;
  /**
   * For a route that people open in a browser: the path of this plugin where they can start over, in which `:name` is that parameter of
   * this route. A browser whose request is refused, by the handler or before it, then gets a small page with the reason, what to do and
   * this link, unless it asks for JSON (`Accept`). Default: every client gets a Status.
   *
   * @example `'/login?issuer=:issuer'`
   */
  readonly beginAgainAt?: `/${string}`;
} & (
  | { readonly auth: 'caller'; handle(request: HttpRequest, context: RequestContext): Promise<HttpAnswer> }
  | { readonly auth: 'self'; handle(request: HttpRequest, context: RouteContext): Promise<HttpAnswer> }
);
