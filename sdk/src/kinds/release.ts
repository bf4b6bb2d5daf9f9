import { Type } from 'typebox';
import { defineKind, type ObjectOf } from '../kinds.js';
import { commonStatus } from './condition.js';

/** One rendering of an object, immutable: the applied cluster objects, and the versions of everything that shaped them. */
export const Release = defineKind({
  group: 'apps.tappaas.dev',
  kind: 'Release',
  plural: 'releases',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'One rendering of an application: its cluster objects and the version of every plugin that shaped them.',
  shortNames: ['rel'],
  spec: Type.Object({
    of: Type.Object(
      {
        group: Type.String({ description: 'API group of its kind.' }),
        kind: Type.String({ description: 'Its kind.' }),
        name: Type.String({ description: 'Its name.' }),
        uid: Type.String({ description: 'Its uid.' }),
      },
      { description: 'The object it was rendered for.' },
    ),
    number: Type.Integer({
      minimum: 1,
      description: 'Grows with each release of the object. Numbers that objects of other kinds with the same name have used are skipped.',
    }),
    digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description: 'Digest of what was rendered; equal content is one release.' }),
    cluster: Type.String({ description: 'The cluster it is for.' }),
    generation: Type.Integer({ description: 'Generation of the object that was rendered.' }),
    images: Type.Record(Type.String(), Type.String(), { description: 'Image by digest, for each process.' }),
    objects: Type.Array(Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }), {
      maxItems: 1000,
      description: 'The rendered cluster objects; secrets by reference.',
      'x-kubernetes-list-type': 'atomic',
    }),
    plugins: Type.Record(Type.String(), Type.String(), { description: 'Version of every plugin that shaped it, by instance.' }),
  }),
  status: Type.Object({
    phase: Type.Optional(
      Type.String({
        description:
          'Serving; Superseded, when another one serves in its place; Failed, when its last rollout did. None until one of them is known.',
      }),
    ),
    ...commonStatus,
  }),
  immutable: ['spec.of', 'spec.number', 'spec.digest', 'spec.cluster', 'spec.generation', 'spec.images', 'spec.objects', 'spec.plugins'],
  fields: ['spec.of.name', 'spec.of.uid'],
  columns: [
    { name: 'Of', path: '.spec.of.name', description: 'The object it was rendered for.' },
    { name: 'Number', path: '.spec.number', type: 'integer', description: 'Grows with each release of the object.' },
    { name: 'Phase', path: '.status.phase', description: 'Whether it serves.' },
  ],
});

/** A Release object. */
export type ReleaseObject = ObjectOf<typeof Release>;
