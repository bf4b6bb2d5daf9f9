import { defineKind, Type } from '@tappaas/sdk';

/** Cedar policies that forbid requests, whatever roles allow. */
export const Policy = defineKind({
  group: 'platform.tappaas.dev',
  kind: 'Policy',
  plural: 'policies',
  version: 'v1alpha1',
  scope: 'Cluster',
  description: 'Forbids requests that roles allow, by attributes of user, object, request and time.',
  spec: Type.Object({
    description: Type.Optional(Type.String({ maxLength: 1024, description: 'Purpose of the policy, for people.' })),
    cedar: Type.String({
      minLength: 1,
      maxLength: 65_536,
      description: 'One or more `forbid` policies in Cedar. Roles grant; a policy can only take away.',
    }),
    mode: Type.Union([Type.Literal('Enforce'), Type.Literal('Shadow')], {
      default: 'Enforce',
      description: 'Shadow records the requests that would be forbidden, and forbids none.',
    }),
  }),
  status: Type.Object({}),
  shortNames: ['pol'],
  columns: [
    { name: 'Mode', path: '.spec.mode', description: 'Whether it forbids, or only records.' },
    { name: 'Description', path: '.spec.description', description: 'What it is for.' },
  ],
});
