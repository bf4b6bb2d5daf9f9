import {
  GraphQLBoolean,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLFieldConfig,
} from 'graphql';
import { objectErrors } from '@tappaas/sdk';
import type { GraphqlContext } from '../context.js';
import { valueAt, type ObjectBody } from '../object-reader.js';
import { followLog, type LogKinds } from '../logs/application-log.js';
import type { LogLine, LogQuery } from '../logs/log-query.js';
import { configurationField } from './configuration.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { Fields } from './output-types.js';
import { placement } from './placement.js';
import { timeScalar } from './scalars.js';
import { findKind } from './schema-parts.js';
import { eventValue } from './subscriptions.js';

const apps = 'apps.tappaas.dev';
const tailMax = 1_000;

interface ContainerStatus {
  readonly ready?: boolean;
  readonly restartCount?: number;
}

const containersOf = (pod: ObjectBody): readonly ContainerStatus[] =>
  (valueAt(pod, ['status', 'containerStatuses']) ?? []) as readonly ContainerStatus[];

const pod = new GraphQLObjectType<ObjectBody, GraphqlContext>({
  name: 'ApplicationPod',
  description: 'One replica of a process of an application, where it runs.',
  fields: {
    name: { type: new GraphQLNonNull(GraphQLString), description: 'Name on the cluster.', resolve: ({ metadata }) => metadata.name },
    process: {
      type: GraphQLString,
      description: 'The process that it is a replica of.',
      resolve: ({ metadata }) => metadata.labels?.['app.kubernetes.io/component'],
    },
    phase: {
      type: GraphQLString,
      description: 'Pending, Running, Succeeded or Failed.',
      resolve: (each) => valueAt(each, ['status', 'phase']),
    },
    ready: {
      type: new GraphQLNonNull(GraphQLBoolean),
      description: 'Whether it receives traffic.',
      resolve: (each) => containersOf(each).length > 0 && containersOf(each).every(({ ready }) => ready === true),
    },
    restarts: {
      type: new GraphQLNonNull(GraphQLInt),
      description: 'How often it has been restarted.',
      resolve: (each) => containersOf(each).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
    },
    node: {
      type: GraphQLString,
      description: 'The node that it runs on; null while it waits for one.',
      resolve: (each) => valueAt(each, ['spec', 'nodeName']),
    },
    placement: {
      type: placement,
      description:
        'Why it runs on its node, or on none; null where another scheduler decides, or when the decision is too old to be still known.',
      extensions: { cost: { points: 1 } },
      resolve: (each, _, { workloads }) => workloads.placementOf(each),
    },
  },
});

const logLine = new GraphQLObjectType<LogLine>({
  name: 'LogLine',
  description: 'A line of output.',
  fields: {
    pod: { type: new GraphQLNonNull(GraphQLString), description: 'The pod that wrote it.' },
    process: { type: GraphQLString, description: 'The process that the pod is a replica of.' },
    text: { type: new GraphQLNonNull(GraphQLString), description: 'The line itself.' },
    time: {
      type: timeScalar,
      description: 'When it was written, as precise as its cluster knows, mostly to the nanosecond; null where the cluster does not say.',
    },
    cursor: {
      type: GraphQLString,
      description:
        'Pass it as `since` of `applicationLogs` to continue behind this line and all that came before it, of every pod; null in `logs`.',
      resolve: ({ cursor }) => cursor?.(),
    },
  },
});

const logArguments = {
  process: { type: GraphQLString, description: 'Only of this process.' },
  tail: { type: new GraphQLNonNull(GraphQLInt), defaultValue: 100, description: `Number of last lines, from 1 to ${tailMax}.` },
};

const tailBound = { bounds: { tail: tailMax } };

/** Makes the fields about running pods; only the kind Application has them. */
export function workloadFields({ served }: ExposedKind, kinds: readonly ExposedKind[]): Fields {
  const releases = findKind(kinds, apps, 'Release');
  if (served.group !== apps || served.kind !== 'Application' || releases === undefined) return {};
  return {
    pods: {
      type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(pod))),
      description: 'The replicas and where they run; for callers who may list pods and get releases in the namespace.',
      extensions: { cost: { points: 10 } },
      resolve: (object, _, { workloads }) => workloads.podsOf(object as ObjectBody, releases),
    },
    logs: {
      type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(logLine))),
      description:
        'The last lines of output of the pods that have started; for callers who may get pods/log and releases in the namespace.',
      args: logArguments,
      extensions: { cost: { points: 100, ...tailBound } },
      resolve: (object, args, { workloads }) => workloads.logOf(object as ObjectBody, releases, args as LogQuery),
    },
    ...configurationField(releases),
  } as Fields;
}

/** Makes the subscription to an application's output. */
export function logSubscription(kinds: readonly ExposedKind[]): Fields {
  const [applications, releases] = ['Application', 'Release'].map((kind) => findKind(kinds, apps, kind));
  if (applications === undefined || releases === undefined) return {};
  const field: GraphQLFieldConfig<unknown, GraphqlContext> = {
    type: new GraphQLNonNull(logLine),
    description:
      'The output of an application as it arrives, across releases, restarts and scaling: of the pods that exist, their last lines first, and of those that come later. Ends with an error when the application is deleted and its last pod gone, when there is no such application or process, and when the serving release is on a cluster that is not loaded.',
    args: {
      namespace: { type: new GraphQLNonNull(GraphQLString), description: 'Namespace of the application.' },
      name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the application.' },
      ...logArguments,
      since: {
        type: GraphQLString,
        description:
          'Continue behind the line with this cursor, with what all pods have written since, whatever `tail` says; for the same application and process.',
      },
    },
    extensions: { cost: tailBound },
    subscribe: (_, args, context) => followed(args as NamedLog, { applications, releases }, context),
    resolve: eventValue,
  };
  return { applicationLogs: field };
}

type NamedLog = LogQuery & { readonly namespace: string; readonly name: string };

/** Reads the application, then follows its output. @throws TAP_OBJECT_NOT_FOUND, TAP_REQUEST_FORBIDDEN, TAP_GRAPHQL_ARGUMENT_INVALID */
async function* followed({ namespace, name, ...query }: NamedLog, kinds: LogKinds, context: GraphqlContext) {
  const application = await context.reader.get(kinds.applications.served, { namespace, name });
  if (application === undefined) throw objectErrors.TAP_OBJECT_NOT_FOUND({ message: `applications "${name}" not found` });
  yield* followLog(application, kinds, query, context);
}
