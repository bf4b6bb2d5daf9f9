import { Type } from 'typebox';
import { defineKind, type ObjectOf } from '../kinds.js';
import { commonStatus, listByName, oneOf } from './condition.js';

/** Something that takes longer than a request, with its steps and their times. */
export const Operation = defineKind({
  group: 'ops.tappaas.dev',
  kind: 'Operation',
  plural: 'operations',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'Something that takes longer than a request: what is done to which object, how far it is and how it ended.',
  shortNames: ['op'],
  spec: Type.Object({
    verb: Type.String({ maxLength: 63, description: 'What is done, such as deploy.' }),
    target: Type.Object(
      {
        group: Type.String({ description: 'API group of its kind.' }),
        kind: Type.String({ description: 'Its kind.' }),
        name: Type.String({ description: 'Its name.' }),
        uid: Type.String({ description: 'Its uid.' }),
        generation: Type.Optional(Type.Integer({ description: 'The generation that the operation brings into effect.' })),
      },
      { description: 'The object it is done to.' },
    ),
    requestId: Type.Optional(Type.String({ description: 'The request that began it.' })),
    cancelled: Type.Optional(Type.Boolean({ description: 'Set it to stop the operation.' })),
  }),
  status: Type.Object({
    phase: Type.Optional(oneOf(['Pending', 'Running', 'Succeeded', 'Failed', 'Cancelled'], { description: 'How far it is.' })),
    percent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description: 'How far it is, of 100.' })),
    startTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it began.' })),
    completionTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it ended.' })),
    steps: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.String({ description: 'Name of the step.' }),
          phase: oneOf(['Pending', 'Running', 'Succeeded', 'Failed', 'Cancelled'], { description: 'How far the step is.' }),
          startTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it began.' })),
          completionTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it ended.' })),
          percent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description: 'How far the step is, of 100.' })),
          message: Type.Optional(Type.String({ description: 'What the step waits for, or why it failed.' })),
        }),
        { maxItems: 64, description: 'Its steps in order.', ...listByName },
      ),
    ),
    error: Type.Optional(Type.String({ description: 'Why it failed, for people.' })),
    result: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Result of the operation.' })),
    ...commonStatus,
  }),
  immutable: ['spec.verb', 'spec.target'],
  fields: ['spec.target.name', 'spec.target.uid'],
  columns: [
    { name: 'Verb', path: '.spec.verb', description: 'What is done.' },
    { name: 'Target', path: '.spec.target.name', description: 'The object it is done to.' },
    { name: 'Phase', path: '.status.phase', description: 'How far it is.' },
    { name: 'Percent', path: '.status.percent', type: 'integer', description: 'How far it is, of 100.' },
  ],
});

/** An Operation object. */
export type OperationObject = ObjectOf<typeof Operation>;
