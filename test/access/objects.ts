/** Questions about objects, made from what discovery says is served. */
import { call } from '../platform-process.ts';
import type { Engine, Place } from './table.ts';
import { absent, named, type AccessWorld } from './world.ts';

/** A request that checks one right without changing anything. */
export interface Question {
  readonly engine: Engine;
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly type?: string;
}

interface Discovered {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources: readonly DiscoveredResource[] }[];
  }[];
}

interface DiscoveredResource {
  readonly resource: string;
  readonly scope: string;
  readonly verbs: readonly string[];
  readonly subresources?: readonly { readonly subresource: string; readonly verbs: readonly string[] }[];
}

const aggregated = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };

/** Every verb of every kind that an engine serves. */
export async function objectQuestions(
  { connection }: AccessWorld,
  engine: Question['engine'],
  mount: string,
  namespace: string,
): Promise<readonly Question[]> {
  const documents = await Promise.all(
    ['/api', '/apis'].map((root) => call(connection, 'GET', `${mount}${root}`, undefined, undefined, aggregated)),
  );
  return documents
    .flatMap((document) => document.json<Discovered>().items)
    .flatMap(({ metadata: { name: group = '' }, versions }) =>
      versions.flatMap(({ version, resources }) => {
        const root = group === '' ? `${mount}/api/${version}` : `${mount}/apis/${group}/${version}`;
        return resources.flatMap((resource) => resourceQuestions({ engine, root, group, namespace }, resource));
      }),
    );
}

interface At {
  readonly engine: Question['engine'];
  readonly root: string;
  readonly group: string;
  readonly namespace: string;
}

function resourceQuestions(
  { engine, root, group, namespace }: At,
  { resource, scope, verbs, subresources = [] }: DiscoveredResource,
): readonly Question[] {
  const isNamespaced = scope === 'Namespaced';
  const own = engine === 'cluster' && resource === 'namespaces' ? namespace : (named[`${group}/${resource}`] ?? absent);
  const collection = isNamespaced ? `${root}/namespaces/${namespace}/${resource}` : `${root}/${resource}`;
  const place: Place = isNamespaced ? 'in' : 'cluster';
  const about = (verb: string, part: string, at: Place): string => `${verb} ${group}/${resource}${part} ${at}`;
  const accessCheck = verbs.map((verb) => ({
    engine,
    what: about(verb, '', place),
    ...requestFor(verb, collection, `${collection}/${own}`),
  }));
  const across = isNamespaced ? verbs.filter((verb) => verb === 'list' || verb === 'watch') : [];
  return [
    ...accessCheck,
    ...across.map((verb) => ({ engine, what: about(verb, '', 'across'), ...requestFor(verb, `${root}/${resource}`, '') })),
    ...subresources.flatMap((part) =>
      part.verbs.map((verb) => {
        const path = `${collection}/${own}/${part.subresource}`;
        return { engine, what: about(verb, `/${part.subresource}`, place), ...requestFor(verb, path, path) };
      }),
    ),
  ];
}

/** A request that is refused for what it says, or finds nothing, once it is allowed: nothing is changed and no stream begins. */
function requestFor(verb: string, collection: string, object: string): Pick<Question, 'method' | 'path' | 'body' | 'type'> {
  const merge = 'application/merge-patch+json';
  switch (verb) {
    case 'get':
      return { method: 'GET', path: object };
    case 'list':
      return { method: 'GET', path: `${collection}?limit=1` };
    case 'watch':
      return { method: 'GET', path: `${collection}?watch=true&sendInitialEvents=true` };
    case 'create':
      return { method: 'POST', path: `${collection}?dryRun=All`, body: {} };
    case 'update':
      return { method: 'PUT', path: `${object}?dryRun=All`, body: {} };
    case 'patch':
      return { method: 'PATCH', path: `${object}?dryRun=All`, body: { metadata: { name: 'another' } }, type: merge };
    case 'delete':
      return { method: 'DELETE', path: `${object}?dryRun=All` };
    case 'deletecollection':
      return { method: 'DELETE', path: `${collection}?dryRun=All&labelSelector=none%3Dhas-it` };
    default:
      throw new Error(`the matrix does not know how to ask the verb ${verb}: add it to requestFor`);
  }
}
