import { GraphQLEnumType, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString } from 'graphql';
import type { GraphqlContext } from '../context.js';
import { effectiveConfiguration, type EffectiveValue } from '../effective-configuration.js';
import type { ObjectBody } from '../object-reader.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { Fields } from './output-types.js';

const source = new GraphQLEnumType({
  name: 'ConfigurationSource',
  description: 'Who sets a value, as the application is now.',
  values: {
    PROCESS: { description: 'The process itself.' },
    APPLICATION: { description: 'The application, for all its processes.' },
    RENDERED: { description: 'Neither: a plugin that shaped the release, or the application as it was then.' },
  },
});

const reference = new GraphQLObjectType({
  name: 'ConfigurationReference',
  description: 'Where the cluster takes a value from when a process starts.',
  fields: {
    kind: { type: new GraphQLNonNull(GraphQLString), description: 'Secret or ConfigMap.' },
    name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the object on the cluster.' },
    key: { type: new GraphQLNonNull(GraphQLString), description: 'The key in it.' },
  },
});

const effectiveValue = new GraphQLObjectType<EffectiveValue>({
  name: 'ConfigurationValue',
  description: 'A variable of the environment that a process is started with.',
  fields: {
    process: { type: new GraphQLNonNull(GraphQLString), description: 'The process.' },
    name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the variable.' },
    value: { type: GraphQLString, description: 'The value; null where it is a reference: what a Secret holds is never told here.' },
    reference: { type: reference, description: 'Where the value comes from; null where it is written out.' },
    source: { type: new GraphQLNonNull(source), description: 'Who sets it.' },
  },
});

/** What an application's processes are configured with in the end. */
export function configurationField(releases: ExposedKind): Fields {
  return {
    configuration: {
      type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(effectiveValue))),
      description:
        'What its processes really get, by the release that serves: the variables of their environment, with who sets each. Empty before the first release; for those who may get releases in its namespace.',
      args: { process: { type: GraphQLString, description: 'Of this process only.' } },
      extensions: { cost: { points: 10 } },
      resolve: (object: unknown, { process }: { readonly process?: string | null }, context: GraphqlContext) =>
        effectiveConfiguration(object as ObjectBody, releases, process ?? undefined, context.reader),
    },
  } as Fields;
}
