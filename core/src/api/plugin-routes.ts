import { isTapError, platformEngine } from '@tappaas/sdk';
import type { ServedRoute } from './contributions.js';
import { apiErrors } from './errors.js';
import type { Exchange } from './request/exchange.js';
import { callOf, handlerRequest, sendHandlerAnswer, type HandlerLimits } from './answer/handler-answer.js';
import { unknownPath } from './objects/object-router.js';
import { parseRequestPath, type RequestPath } from './request/request-path.js';

/** The fields by which a route is found. */
export type NamedRoute = Pick<ServedRoute, 'instance' | 'method' | 'path' | 'isWellKnown'>;

/** A route that matches a path, with the values of its parameters. */
export interface FoundRoute {
  readonly route: ServedRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** Routes at `/plugins/{instance}{path}`; more than one when the methods differ. */
function findRoutes(routes: readonly ServedRoute[], { path, info }: Pick<Exchange, 'path' | 'info'>): readonly FoundRoute[] {
  return info.engine === platformEngine ? routesAt(routes, path.segments) : [];
}

function routesAt<R extends NamedRoute>(
  routes: readonly R[],
  [root, instance, ...rest]: readonly string[],
): readonly { readonly route: R; readonly params: Readonly<Record<string, string>> }[] {
  if (root !== 'plugins' || instance === undefined) return [];
  return routes.flatMap((route) => {
    const params = route.instance === instance ? match(route.path, rest) : undefined;
    return params === undefined ? [] : [{ route, params }];
  });
}

/** The route for a request method; GET routes answer HEAD too. */
function routeOf<F extends { readonly route: NamedRoute }>(found: readonly F[], method: string | undefined): F | undefined {
  const requested = method === 'HEAD' ? 'GET' : method;
  return found.find(({ route }) => route.method === requested);
}

/** Whether a route authenticates by itself, so that the chain does not authenticate the caller. */
export function isSelfAuthenticated(routes: () => readonly ServedRoute[], exchange: Exchange): boolean {
  return exchange.path.segments[0] === 'plugins' && routeOf(findRoutes(routes(), exchange), exchange.request.method)?.route.auth === 'self';
}

/**
 * Records what the chain must know about a route: the name that roles use for a well-known route, whatever its instance is called, since
 * access is checked for that name; and the page that a refused browser is sent back to.
 */
export function noteRoute(routes: () => readonly ServedRoute[], exchange: Exchange): void {
  const { info, path, request } = exchange;
  const found = path.segments[0] === 'plugins' ? routeOf(findRoutes(routes(), exchange), request.method) : undefined;
  if (found === undefined) return;
  if (found.route.beginAgainAt !== undefined) exchange.beginAgainAt = beginning(found, found.route.beginAgainAt);
  if (found.route.isWellKnown === true) exchange.info = { ...info, path: commonName(info.path) };
}

function beginning({ route, params }: FoundRoute, path: string): string {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  return `/plugins/${encodeURIComponent(route.instance)}${filled}`;
}

/**
 * The path for which access is checked, on an engine that serves these routes: for a well-known route, the name that roles use; for any
 * other, its canonical spelling. Used by access reviews, which must be answered as a request would be.
 */
export function pathForAccess(routes: readonly NamedRoute[], verb: string, path: string): string {
  const read = readable(path);
  if (read === undefined) return path;
  return routeOf(routesAt(routes, read.segments), verb.toUpperCase())?.route.isWellKnown === true ? commonName(read.path) : read.path;
}

/** Parses a path; one that cannot be parsed never occurs in a request, so it matches no route. */
function readable(path: string): RequestPath | undefined {
  try {
    return parseRequestPath(path);
  } catch (error) {
    if (isTapError(error, 'TAP_REQUEST_PATH_INVALID')) return undefined;
    throw error;
  }
}

function commonName(path: string): string {
  return path.replace(/^\/plugins\/[^/]+/, '/plugins/-');
}

/** Answers a raw route of a plugin. @throws TAP_REQUEST_PATH_UNKNOWN, TAP_REQUEST_METHOD_NOT_ALLOWED */
export async function answerRoute(routes: readonly ServedRoute[], exchange: Exchange, limits: HandlerLimits): Promise<void> {
  const all = findRoutes(routes, exchange);
  const found = routeOf(all, exchange.request.method);
  if (found === undefined) throw all.length === 0 ? unknownPath(exchange) : wrongMethod(exchange, all);
  const { route, params } = found;
  const request = await handlerRequest(exchange, params, { bodyBytesMax: route.bodyBytesMax, withCredentials: route.auth === 'self' });
  const caller = route.auth === 'self' ? {} : { caller: exchange.caller };
  await sendHandlerAnswer(exchange, await route.handle(request, { ...callOf(exchange, limits), ...caller }), limits);
}

function wrongMethod(exchange: Exchange, found: readonly FoundRoute[]): Error {
  exchange.extraHeaders.push('Allow', [...new Set(found.map(({ route }) => route.method))].join(', '));
  return apiErrors.TAP_REQUEST_METHOD_NOT_ALLOWED({ message: `${exchange.request.method} is not served for ${exchange.info.path}` });
}

/** Compares segment by segment; `:name` matches one whole segment, already decoded. */
function match(path: string, segments: readonly string[]): Readonly<Record<string, string>> | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length !== segments.length) return undefined;
  const params: [string, string][] = [];
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith(':')) params.push([part.slice(1), segment]);
    else if (part !== segment) return undefined;
  }
  return Object.fromEntries(params);
}
