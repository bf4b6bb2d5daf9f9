import { Type } from '@tappaas/sdk';

const names = (description: string) => Type.Array(Type.String({ minLength: 1 }), { default: [], maxItems: 1_000, description });

const level = (description: string, byDefault?: string) =>
  Type.Union([Type.Literal('None'), Type.Literal('Metadata'), Type.Literal('Request'), Type.Literal('RequestResponse')], {
    ...(byDefault !== undefined && { default: byDefault }),
    description,
  });

const stages = (more: { readonly default?: readonly string[]; readonly byDefault?: string }) =>
  Type.Array(Type.Union([Type.Literal('RequestReceived'), Type.Literal('ResponseStarted'), Type.Literal('ResponseComplete')]), {
    ...(more.default && { default: more.default }),
    uniqueItems: true,
    description: `Moments that are not recorded: RequestReceived, ResponseStarted (streams) and ResponseComplete.${more.byDefault ?? ''}`,
  });

const resources = Type.Object({
  group: Type.String({ default: '', description: 'API group; empty: the core group, *: all.' }),
  resources: names('Plural names, name/part for a part, */part for a part of all; empty: all.'),
  names: names('Names of objects; empty: all.'),
});

const rule = Type.Object({
  level: level('Level of the requests that match the rule. Secrets are never recorded above Metadata.'),
  users: names('Callers by name; empty: all.'),
  groups: names('Groups that a caller is in; empty: all.'),
  verbs: names('Verbs; empty: all.'),
  resources: Type.Array(resources, { default: [], maxItems: 1_000, description: 'Objects; empty, as paths: all requests.' }),
  namespaces: names('Namespaces; empty: all.'),
  paths: names('Paths that are not about objects; a * at the end stands for any rest.'),
  omitStages: stages({ default: [] }),
});

/** Invalid combination: a dropped line is never written, so a waiting request would proceed and count as recorded although it is not. */
const waitsForWhatIsLeftOut = {
  properties: { mode: { const: 'blocking' }, onOverflow: { const: 'drop' } },
  required: ['mode', 'onOverflow'],
};

const sink = Type.Object(
  {
    mode: Type.Union([Type.Literal('batch'), Type.Literal('blocking')], {
      default: 'batch',
      description:
        'batch: lines are kept shortly after. blocking: a request goes on when its RequestReceived line is kept; one without that line (omitStages) does not wait.',
    }),
    onOverflow: Type.Union([Type.Literal('block'), Type.Literal('refuse'), Type.Literal('drop')], {
      default: 'block',
      description:
        'When the buffer is full: wait for room, refuse requests at once, or leave lines out of this sink and record how many (not with blocking).',
    }),
    waitMsMax: Type.Integer({
      default: 10_000,
      minimum: 1,
      maximum: 60_000,
      description: 'How long a request waits before it is refused, ms.',
    }),
    bufferLinesMax: Type.Integer({
      default: 10_000,
      minimum: 10,
      maximum: 1_000_000,
      description: 'Lines that may wait for the sink; a running request holds three, a stream none after its begin.',
    }),
    bufferBytesMax: Type.Integer({
      default: 16_777_216,
      minimum: 65_536,
      maximum: 1_073_741_824,
      description: 'Bytes that may wait for the sink.',
    }),
    gatherMs: Type.Integer({
      default: 50,
      minimum: 0,
      maximum: 10_000,
      description: 'How long lines are gathered in mode batch, ms; a crash loses what was not kept yet.',
    }),
  },
  { not: waitsForWhatIsLeftOut },
);

/** The configuration's `audit` section. */
export const auditSection = Type.Object({
  level: level('Level of requests that match no rule.', 'Metadata'),
  omitStages: Type.Optional(
    stages({ byDefault: ' Default: RequestReceived, or none where a sink is blocking, as requests wait for that line.' }),
  ),
  refusals: Type.Boolean({ default: true, description: 'Record refused requests (401, 403, 429) also where the level is None.' }),
  rules: Type.Array(rule, { default: [], maxItems: 1_000, description: 'The first rule that matches a request decides.' }),
  bodyBytesMax: Type.Integer({
    default: 65_536,
    minimum: 0,
    maximum: 1_048_576,
    description: 'Largest body that is recorded at Request and RequestResponse, bytes; larger ones are left out, and the event says so.',
  }),
  keyFile: Type.String({
    default: '',
    description: 'Key that signs checkpoints; outside of every log directory. Empty: keys/audit.pem below api.directory.',
  }),
  checkpoints: Type.Object(
    {
      directory: Type.String({
        default: '',
        description: 'Second place, for signed checkpoints. Empty: audit-checkpoints below api.directory.',
      }),
      everyEvents: Type.Integer({
        default: 1_000,
        minimum: 1,
        maximum: 1_000_000,
        description: 'Events between two checkpoints; more where that would be ten a second.',
      }),
      everyMs: Type.Integer({
        default: 10_000,
        minimum: 100,
        maximum: 3_600_000,
        description: 'Longest time between two checkpoints, ms.',
      }),
      store: Type.Boolean({ default: true, description: 'Keep the latest checkpoint in the store too.' }),
    },
    { default: {}, description: 'Signed statements of how far the log was kept.' },
  ),
  stopMsMax: Type.Integer({
    default: 4_000,
    minimum: 100,
    maximum: 60_000,
    description: 'Time for the last lines when the platform stops, ms.',
  }),
  sinks: Type.Record(Type.String(), sink, { default: {}, description: 'How sinks are used, by instance id of their plugin.' }),
});

/** The audit settings in force. */
export type AuditSettings = Type.Static<typeof auditSection>;

/**
 * Returns the stages that are not recorded unless a rule says otherwise. A blocking sink ensures that nothing happens before it is
 * recorded, so the line that requests wait for is not omitted by default; otherwise they would all proceed at once.
 */
export function omittedStages({
  omitStages,
  sinks,
}: Pick<AuditSettings, 'omitStages' | 'sinks'>): NonNullable<AuditSettings['omitStages']> {
  const isAnyBlocking = Object.values(sinks).some(({ mode }) => mode === 'blocking');
  return omitStages ?? (isAnyBlocking ? [] : ['RequestReceived']);
}
