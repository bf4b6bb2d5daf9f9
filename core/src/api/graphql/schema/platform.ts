import { GraphQLBoolean, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString, type GraphQLFieldConfig } from 'graphql';
import { makeChecks, type CheckResult } from '../../ready-checks.js';
import type { GraphqlContext } from '../context.js';
import { valueAt, type ObjectBody } from '../object-reader.js';
import type { ObjectTypes } from './object-types.js';
import type { Fields } from './output-types.js';
import { findKind, type SchemaParts } from './schema-parts.js';

const pluginsMax = 1_000;

const healthCheck = new GraphQLObjectType<CheckResult>({
  name: 'HealthCheck',
  description: 'One of the checks that `/readyz` makes.',
  fields: {
    name: { type: new GraphQLNonNull(GraphQLString), description: 'What is checked.' },
    ok: { type: new GraphQLNonNull(GraphQLBoolean), description: 'Whether the check succeeds.' },
  },
});

interface JoinedHook {
  readonly name: string;
  readonly plugins: readonly string[];
}

const joinedHook = new GraphQLObjectType<JoinedHook>({
  name: 'Hook',
  description: 'A hook that plugins have joined.',
  fields: {
    name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the hook, such as `admission.validate`.' },
    plugins: {
      type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLString))),
      description: 'Instances of the plugins that have joined it, by name; the operator configures the order in which they are called.',
    },
  },
});

/** Makes the field `platform`. Its plugins and hooks require the right to list Plugin objects. */
export function platformField({ kinds }: SchemaParts, objects: ObjectTypes): GraphQLFieldConfig<unknown, GraphqlContext> {
  const plugin = findKind(kinds, 'platform.tappaas.dev', 'Plugin');
  const plugins: Fields =
    plugin === undefined
      ? {}
      : {
          plugins: {
            type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(objects.of(plugin)))),
            description: 'The loaded plugins, in the order of their instances.',
            extensions: { cost: { points: 1, count: 20 } },
            resolve: async (_, _arguments, { reader }) => {
              const { items } = await reader.list(plugin.served, { first: pluginsMax });
              return items.map(({ object }) => object);
            },
          },
          hooks: {
            type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(joinedHook))),
            description: 'The hooks that plugins have joined, by name.',
            extensions: { cost: { points: 1, count: 20 } },
            resolve: async (_, _arguments, { reader }) => {
              const { items } = await reader.list(plugin.served, { first: pluginsMax });
              return joinedHooks(items.map(({ object }) => object as ObjectBody));
            },
          },
        };
  const type = new GraphQLObjectType<unknown, GraphqlContext>({
    name: 'Platform',
    description: 'The platform itself.',
    fields: {
      version: {
        type: new GraphQLNonNull(GraphQLString),
        description: 'Version of the platform.',
        resolve: (_, _arguments, { parts }) => parts.version,
      },
      health: {
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(healthCheck))),
        description: 'The readiness checks, run now.',
        resolve: (_, _arguments, { parts, signal }) => makeChecks(parts.ready(), parts.clock, signal),
      },
      ...plugins,
    },
  });
  return { type: new GraphQLNonNull(type), description: 'The platform itself: plugins, health, version.', resolve: () => ({}) };
}

function joinedHooks(plugins: readonly ObjectBody[]): readonly JoinedHook[] {
  const joined = plugins.flatMap((plugin) => {
    const names = (valueAt(plugin, ['status', 'hooks']) ?? []) as readonly string[];
    return names.map((name) => ({ name, plugin: plugin.metadata.name }));
  });
  const byName = Map.groupBy(joined, ({ name }) => name);
  return [...byName.keys()].toSorted().map((name) => ({ name, plugins: (byName.get(name) ?? []).map(({ plugin }) => plugin).toSorted() }));
}
