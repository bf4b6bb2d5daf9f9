import { GraphQLEnumType, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString } from 'graphql';
import type { GraphqlContext } from '../context.js';
import { effectiveConfiguration, type EffectiveValue } from '../effective-configuration.js';
import type { ObjectBody } from '../object-reader.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { Fields } from './output-types.js';

const source = new GraphQLEnumType({
  name: 'ConfigurationSource',
  description: 'Which part of the present application sets a value.',
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
  description: 'An environment variable that a process is started with.',
  fields: {
    process: { type: new GraphQLNonNull(GraphQLString), description: 'The process.' },
    name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the variable.' },
    value: { type: GraphQLString, description: 'The value; null where it is a reference: the content of a Secret is never shown here.' },
    reference: { type: reference, description: 'The reference that the value comes from; null where the value is given directly.' },
    source: { type: new GraphQLNonNull(source), description: 'Which part of the application sets the value.' },
  },
});

/** Makes the field for the effective environment variables of an application's processes. */
export function configurationField(releases: ExposedKind): Fields {
  return {
    configuration: {
      type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(effectiveValue))),
      description:
        'The effective environment variables of the processes in the release that serves, with the source of each. Empty before the first release; for callers who may get releases in the namespace.',
      args: { process: { type: GraphQLString, description: 'Only variables of this process.' } },
      extensions: { cost: { points: 10 } },
      resolve: (object: unknown, { process }: { readonly process?: string | null }, context: GraphqlContext) =>
        effectiveConfiguration(object as ObjectBody, releases, process ?? undefined, context.reader),
    },
  } as Fields;
}
