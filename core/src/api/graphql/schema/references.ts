import type { GraphQLInterfaceType, GraphQLObjectType } from 'graphql';
import type { GraphqlContext } from '../context.js';
import { valueAt, type ObjectBody } from '../object-reader.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { Fields } from './output-types.js';
import { findKind } from './schema-parts.js';

/** A field that holds the name of another object. */
interface NameReference {
  readonly on: string;
  readonly name: string;
  readonly description: string;
  readonly to: readonly [group: string, kind: string];
  readonly path: readonly string[];
}

/** A field that refers to an object of any kind. */
interface ObjectReference {
  readonly on: string;
  readonly description: string;
  /** Path of the reference, with group or apiVersion, kind, name and uid. */
  readonly path: readonly string[];
}

const apps = 'apps.tappaas.dev';

const byName: readonly NameReference[] = [
  {
    on: `${apps}/Application`,
    name: 'currentRelease',
    description: 'The release that serves; null before the first one does.',
    to: [apps, 'Release'],
    path: ['status', 'release'],
  },
  {
    on: `${apps}/Application`,
    name: 'currentOperation',
    description: 'The operation of the present generation.',
    to: ['ops.tappaas.dev', 'Operation'],
    path: ['status', 'operation'],
  },
  {
    on: `${apps}/Application`,
    name: 'currentBuild',
    description: 'The build of the present source.',
    to: [apps, 'Build'],
    path: ['status', 'build'],
  },
];

const about: readonly ObjectReference[] = [
  { on: `${apps}/Release`, description: 'The object that the release was rendered for; null when it is gone.', path: ['spec', 'of'] },
  {
    on: 'ops.tappaas.dev/Operation',
    description: 'The object that the operation works on; null when it is gone.',
    path: ['spec', 'target'],
  },
  {
    on: '/Event',
    description: 'The object that the event is about; null when it is gone, or belongs to another engine.',
    path: ['involvedObject'],
  },
];

/** Makes the fields that lead to single objects; their reads are batched for all objects of an operation. */
export function referenceFields(
  { served }: ExposedKind,
  kinds: readonly ExposedKind[],
  typeOf: (kind: ExposedKind) => GraphQLObjectType,
  resource: GraphQLInterfaceType,
): Fields {
  const own = `${served.group}/${served.kind}`;
  const named = byName.flatMap(({ on, name, description, to: [group, kind], path }) => {
    const target = on === own ? findKind(kinds, group, kind) : undefined;
    return target === undefined ? [] : [[name, { type: typeOf(target), description, resolve: namedObject(target, path) }] as const];
  });
  const objects = about
    .filter(({ on }) => on === own)
    .map(({ description, path }) => ['object', { type: resource, description, resolve: aboutObject(kinds, path) }] as const);
  return Object.fromEntries([...named, ...objects]);
}

type Resolve = (object: unknown, args: unknown, context: GraphqlContext) => Promise<ObjectBody | undefined>;

function namedObject({ served }: ExposedKind, path: readonly string[]): Resolve {
  return async (object, _, { reader }) => {
    const name = valueAt(object, path);
    if (typeof name !== 'string' || name === '') return undefined;
    const { namespace } = (object as ObjectBody).metadata;
    return reader.load(served, { name, ...(namespace !== undefined && { namespace }) });
  };
}

function aboutObject(kinds: readonly ExposedKind[], path: readonly string[]): Resolve {
  return async (object, _, { reader }) => {
    const {
      group,
      apiVersion = '',
      kind = '',
      name = '',
      uid,
    } = (valueAt(object, path) ?? {}) as Readonly<Record<string, string | undefined>>;
    const target = findKind(kinds, group ?? (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''), kind);
    if (target === undefined || name === '') return undefined;
    const { namespace } = (object as ObjectBody).metadata;
    const isNamespaced = target.served.scope === 'Namespaced';
    const found = await reader.load(target.served, { name, ...(isNamespaced && namespace !== undefined && { namespace }) });
    return uid === undefined || found?.metadata.uid === uid ? found : undefined;
  };
}
