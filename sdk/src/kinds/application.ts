import { Type } from 'typebox';
import { defineKind, type ObjectOf } from '../kinds.js';
import { commonStatus, listByName, oneOf } from './condition.js';
import { envSchema, nameSchema, processSchema, quantitySchema } from './process.js';

const source = Type.Object(
  {
    image: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'An image, best by digest.' })),
    git: Type.Optional(
      Type.Object(
        {
          url: Type.String({ pattern: '^https://', maxLength: 2048, description: 'Repository, over https.' }),
          revision: Type.Optional(Type.String({ maxLength: 256, description: 'Branch, tag or commit; default: the repository’s.' })),
          path: Type.Optional(Type.String({ maxLength: 1024, description: 'Folder in the repository.' })),
        },
        { description: 'A git repository.' },
      ),
    ),
    upload: Type.Optional(
      Type.Object(
        { digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description: 'Digest of an uploaded source archive.' }) },
        { description: 'Source that was uploaded.' },
      ),
    ),
  },
  { minProperties: 1, maxProperties: 1, description: 'Where the code comes from: one of image, git, upload.' },
);

const spec = Type.Object({
  source,
  build: Type.Optional(
    Type.Object(
      { builder: Type.String({ default: 'source', description: 'Instance of a builder plugin.' }) },
      { description: 'How source becomes an image.' },
    ),
  ),
  runtime: Type.String({ default: 'standard', maxLength: 63, description: 'Instance of a runtime plugin.' }),
  runtimeParameters: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Parameters of the runtime.' })),
  processes: Type.Array(processSchema, { minItems: 1, maxItems: 64, description: 'What runs.', ...listByName }),
  env: Type.Optional(envSchema),
  volumes: Type.Optional(
    Type.Array(
      Type.Object({
        name: nameSchema('volume'),
        class: Type.Optional(Type.String({ maxLength: 63, description: 'Instance of a storage class plugin.' })),
        size: quantitySchema('Size, such as 10Gi.'),
        retain: Type.Optional(Type.Boolean({ description: 'Keep the data when the application is deleted.' })),
      }),
      { maxItems: 32, description: 'Storage that outlives a process.', ...listByName },
    ),
  ),
  routes: Type.Optional(
    Type.Array(
      Type.Object({
        name: nameSchema('route'),
        host: Type.Optional(
          Type.String({
            pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
            maxLength: 253,
            description: 'Host name; default: one of the cluster’s.',
          }),
        ),
        path: Type.String({ default: '/', pattern: '^/', maxLength: 1024, description: 'Path prefix.' }),
        process: nameSchema('process'),
        port: nameSchema('port'),
        tls: Type.Optional(Type.Boolean({ description: 'Serve over TLS with a certificate of the platform.' })),
      }),
      { maxItems: 64, description: 'How the application is reached from outside.', ...listByName },
    ),
  ),
  rollout: Type.Optional(
    Type.Object(
      {
        strategy: oneOf(['Rolling', 'Recreate'], { default: 'Rolling', description: 'Replace step by step, or stop first.' }),
        maxUnavailable: Type.Integer({ default: 0, minimum: 0, maximum: 10_000, description: 'Replicas that may be missing meanwhile.' }),
        maxSurge: Type.Integer({ default: 1, minimum: 0, maximum: 10_000, description: 'Replicas that may be extra meanwhile.' }),
        timeoutSeconds: Type.Integer({
          default: 600,
          minimum: 1,
          maximum: 86_400,
          description: 'The rollout fails after this time without progress.',
        }),
        crashesMax: Type.Integer({
          default: 3,
          minimum: 1,
          maximum: 100,
          description: 'The rollout fails when a process of the new release has ended this many times before it served.',
        }),
        onFailure: oneOf(['Rollback', 'Stop'], { default: 'Rollback', description: 'What a failed rollout does.' }),
      },
      { description: 'How a new release replaces the old one.' },
    ),
  ),
  placement: Type.Optional(
    Type.Object(
      {
        clusters: Type.Optional(Type.Array(Type.String(), { maxItems: 64, description: 'Clusters it may run on; empty: any.' })),
        regions: Type.Optional(Type.Array(Type.String(), { maxItems: 64, description: 'Regions it may run in; empty: any.' })),
        zones: Type.Optional(Type.Array(Type.String(), { maxItems: 64, description: 'Zones it may run in; empty: any.' })),
        spread: Type.Optional(Type.String({ description: 'Spread replicas over this: zone or node.' })),
        priority: Type.Optional(Type.String({ description: 'Priority class.' })),
        dedicated: Type.Optional(Type.Boolean({ description: 'Only on nodes of the tenant’s own.' })),
      },
      { description: 'Where it may run.' },
    ),
  ),
  dependencies: Type.Optional(
    Type.Array(
      Type.Object({ name: nameSchema('application'), ready: Type.Optional(Type.Boolean({ description: 'Wait until it is ready.' })) }),
      {
        maxItems: 64,
        description: 'Applications that this one needs.',
        ...listByName,
      },
    ),
  ),
  pin: Type.Optional(Type.String({ maxLength: 253, description: 'Set by a rollback: the release to serve until it is cleared.' })),
});

const status = Type.Object({
  release: Type.Optional(Type.String({ description: 'The release that serves.' })),
  cluster: Type.Optional(Type.String({ description: 'Where it runs; chosen once.' })),
  url: Type.Optional(Type.String({ description: 'Where its first route answers.' })),
  operation: Type.Optional(Type.String({ description: 'The operation under way.' })),
  build: Type.Optional(Type.String({ description: 'The build of the source.' })),
  processes: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String({ description: 'Name of the process.' }),
        desired: Type.Integer({ description: 'Desired number of replicas.' }),
        ready: Type.Integer({ description: 'Replicas that are ready.' }),
        updated: Type.Integer({ description: 'Replicas of the present release.' }),
        restarts: Type.Integer({ description: 'How often its replicas have been restarted.' }),
      }),
      { description: 'Replicas of each process.', ...listByName },
    ),
  ),
  ...commonStatus,
});

/** An application: source, processes, routes and how they are rolled out. */
export const Application = defineKind({
  group: 'apps.tappaas.dev',
  kind: 'Application',
  plural: 'applications',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'An application: where its code comes from, the processes that run, and how it is reached.',
  shortNames: ['app'],
  categories: ['all'],
  spec,
  status,
  fields: ['spec.runtime'],
  columns: [
    { name: 'Ready', path: '.status.conditions[?(@.type=="Ready")].status', description: 'Whether it serves what its spec says.' },
    { name: 'Release', path: '.status.release', description: 'The release that serves.' },
    { name: 'URL', path: '.status.url', description: 'Where it answers.' },
    { name: 'Reason', path: '.status.conditions[?(@.type=="Ready")].reason', description: 'Why it is so.', wide: true },
    { name: 'Cluster', path: '.status.cluster', description: 'Where it runs.', wide: true },
  ],
});

/** An Application object. */
export type ApplicationObject = ObjectOf<typeof Application>;
