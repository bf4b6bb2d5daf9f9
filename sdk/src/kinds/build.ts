import { Type } from 'typebox';
import { defineKind, type ObjectOf } from '../kinds.js';
import { commonStatus } from './condition.js';

/** A build of source into an image. */
export const Build = defineKind({
  group: 'apps.tappaas.dev',
  kind: 'Build',
  plural: 'builds',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'Source on its way to an image; content-addressed, so the same source is built once.',
  spec: Type.Object({
    application: Type.String({ maxLength: 253, description: 'The application it is for.' }),
    builder: Type.String({ default: 'source', description: 'Instance of a builder plugin.' }),
    source: Type.Object(
      { digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description: 'Digest of the source archive.' }) },
      { description: 'What is built.' },
    ),
    parameters: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Parameters of the builder.' })),
    cancelled: Type.Optional(Type.Boolean({ description: 'Set it to stop the build.' })),
  }),
  status: Type.Object({
    phase: Type.Optional(Type.String({ description: 'Pending, Running, Succeeded, Failed or Cancelled.' })),
    image: Type.Optional(Type.String({ description: 'The image, by digest.' })),
    startedBy: Type.Optional(
      Type.String({
        description: 'Where the builder found the command to run. Absent: it found none, so each process must name a command.',
      }),
    ),
    cached: Type.Optional(Type.Boolean({ description: 'Whether an earlier build was used.' })),
    startTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it began.' })),
    completionTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it ended.' })),
    durationMs: Type.Optional(Type.Integer({ description: 'How long it took, milliseconds.' })),
    log: Type.Optional(Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 200, description: 'The last lines of output.' })),
    ...commonStatus,
  }),
  immutable: ['spec.application', 'spec.builder', 'spec.source'],
  fields: ['spec.application', 'spec.source.digest'],
  columns: [
    { name: 'Application', path: '.spec.application', description: 'The application it is for.' },
    { name: 'Phase', path: '.status.phase', description: 'How far it is.' },
    { name: 'Image', path: '.status.image', description: 'The image, by digest.', wide: true },
    { name: 'Cached', path: '.status.cached', type: 'boolean', description: 'Whether an earlier build was used.', wide: true },
  ],
});

/** A Build object. */
export type BuildObject = ObjectOf<typeof Build>;
