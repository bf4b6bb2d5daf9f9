import { platformEngine } from '@tappaas/sdk';
import type { RequestPath } from './request-path.js';
import type { Target } from '../../ports/engine.js';

/** The subject of a request, before any check whether it exists. */
export interface RequestInfo {
  /** Name of the addressed engine. */
  readonly engine: string;
  /** The path below the engine's mount. */
  readonly path: string;
  /** Kubernetes' verb for requests about objects, else the method in lower case. */
  readonly verb: string;
  /** Set for requests about objects. */
  readonly target?: Target;
}

const verbs: Readonly<Record<string, readonly [onObject: string, onCollection: string]>> = {
  GET: ['get', 'list'],
  HEAD: ['get', 'list'],
  POST: ['create', 'create'],
  PUT: ['update', 'update'],
  PATCH: ['patch', 'patch'],
  DELETE: ['delete', 'deletecollection'],
};

const namespaceParts = new Set(['status', 'finalize']);

/** Derives engine, verb and target from method and path, as kube-apiserver's RequestInfo does. */
export function requestInfo(method: string, { path, query, segments }: RequestPath): RequestInfo {
  const mounted = segments[0] === 'clusters' && segments.length > 1;
  // The platform's engine is served only at the root: under /clusters it gets a name that no engine has.
  const engine = !mounted ? platformEngine : segments[1] === platformEngine ? '' : (segments[1] ?? '');
  const below = mounted ? segments.slice(2) : segments;
  const info = { engine, path: mounted ? pathBelow(path) : path };
  const target = targetOf(below);
  if (target === undefined || path.endsWith('/')) return { ...info, verb: method.toLowerCase() };
  return { ...info, verb: verbOf(method, target, query), target };
}

function pathBelow(path: string): string {
  const end = path.indexOf('/', '/clusters/'.length);
  return end < 0 ? '/' : path.slice(end);
}

function targetOf(segments: readonly string[]): Target | undefined {
  if (segments[0] === 'api' && segments.length > 2) return below({ group: '', version: segments[1] ?? '' }, segments.slice(2));
  if (segments[0] === 'apis' && segments.length > 3) {
    return below({ group: segments[1] ?? '', version: segments[2] ?? '' }, segments.slice(3));
  }
  return undefined;
}

function below(served: { readonly group: string; readonly version: string }, rest: readonly string[]): Target | undefined {
  const [first = '', second, third, fourth, fifth] = rest;
  const inNamespace = first === 'namespaces' && third !== undefined && !(rest.length === 3 && namespaceParts.has(third));
  if (rest.length > (inNamespace ? 5 : 3)) return undefined;
  const [plural, name, subresource] = inNamespace ? [third, fourth, fifth] : [first, second, third];
  return {
    kind: { ...served, plural },
    ...(inNamespace && { namespace: second ?? '' }),
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
  };
}

function verbOf(method: string, target: Target, query: string): string {
  const pair = verbs[method];
  if (pair === undefined) return method.toLowerCase();
  if (target.name !== undefined) return pair[0];
  return method === 'GET' && query.includes('watch') && isWatch(query) ? 'watch' : pair[1];
}

function isWatch(query: string): boolean {
  const value = new URLSearchParams(query).get('watch');
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}
