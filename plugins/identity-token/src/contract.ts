import { defineKind, Type, type ObjectOf } from '@tappaas/sdk';

const scopeSchema = Type.Object(
  {
    namespaces: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 63 }), { maxItems: 64, description: 'Namespaces it is good for. Default: all.' }),
    ),
    verbs: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
        maxItems: 32,
        description: 'Verbs it is good for, such as get, list and watch. Default: all.',
      }),
    ),
  },
  { description: 'Narrows what it is good for, whatever its user may do.' },
);

/** An API token: whom it stands for, what it is good for and until when; of the token itself only a hash is kept. */
export const ApiToken = defineKind({
  group: 'identity.tappaas.dev',
  kind: 'ApiToken',
  plural: 'apitokens',
  version: 'v1alpha1',
  scope: 'Cluster',
  description:
    'An API token: whom it stands for, what it is good for and until when. Deleting it revokes it. The token itself is shown once.',
  spec: Type.Object({
    user: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'Whom it stands for. Default: who creates it.' })),
    groups: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        maxItems: 256,
        description:
          'Groups it acts with; of one’s own, unless an administrator makes it. Default: those that who creates it for himself has at that time, else none.',
      }),
    ),
    tenant: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 63,
        description: 'Tenant it belongs to. Default: that of who creates it; has to be said for somebody else.',
      }),
    ),
    withoutTenant: Type.Optional(
      Type.Boolean({
        description: 'Says that it belongs to no tenant, so that a tenant is not merely forgotten in a token for somebody else.',
      }),
    ),
    description: Type.Optional(Type.String({ maxLength: 1024, description: 'What it is for.' })),
    expiresAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'It is good until then. Default: as the plugin is configured.' }),
    ),
    scope: Type.Optional(scopeSchema),
    madeWith: Type.Optional(
      Type.Object(
        {
          name: Type.String({ maxLength: 253, description: 'Its name.' }),
          uid: Type.String({ maxLength: 64, description: 'Its uid.' }),
        },
        { description: 'The API token that it was made with, where it was one; it ends with it, and no later. Written by the platform.' },
      ),
    ),
    tokenId: Type.Optional(Type.String({ pattern: '^[0-9a-f]{12}$', description: 'Id of the token that was issued; written by issue.' })),
    sha256: Type.Optional(
      Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the token that was issued; written by issue.' }),
    ),
  }),
  status: Type.Object({
    lastUsedTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it was last used, to within some minutes.' })),
    observedGeneration: Type.Optional(Type.Integer({ description: 'The generation of the spec that status is about.' })),
    conditions: Type.Optional(
      Type.Array(
        Type.Object({
          type: Type.String({ description: 'What is stated, in CamelCase.' }),
          status: Type.Union([Type.Literal('True'), Type.Literal('False'), Type.Literal('Unknown')], { description: 'Whether it holds.' }),
          reason: Type.String({ description: 'One word in CamelCase, for programs.' }),
          message: Type.String({ description: 'For people: what is, and the next step.' }),
          lastTransitionTime: Type.String({ format: 'date-time', description: 'When status last changed.' }),
          observedGeneration: Type.Optional(Type.Integer({ description: 'The generation of the spec that the statement is about.' })),
        }),
        { description: 'Ready says whether it is good.', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
      ),
    ),
  }),
  immutable: ['spec.user', 'spec.tenant', 'spec.withoutTenant', 'spec.madeWith'],
  fields: ['spec.tokenId', 'spec.user', 'spec.tenant', 'spec.madeWith.uid'],
  owner: { user: 'spec.user', tenant: 'spec.tenant' },
  columns: [
    { name: 'User', path: '.spec.user', description: 'Whom it stands for.' },
    { name: 'Ready', path: '.status.conditions[?(@.type=="Ready")].reason', description: 'Whether it is good.' },
    { name: 'Expires', path: '.spec.expiresAt', description: 'It is good until then.' },
    { name: 'Last used', path: '.status.lastUsedTime', type: 'date', description: 'Time since it was last used.' },
    { name: 'Groups', path: '.spec.groups', description: 'Groups it acts with.', wide: true },
    { name: 'Made with', path: '.spec.madeWith.name', description: 'Token that it was made with, and ends with.', wide: true },
    { name: 'Description', path: '.spec.description', description: 'What it is for.', wide: true },
  ],
});

/** An ApiToken object. */
export type ApiTokenObject = ObjectOf<typeof ApiToken>;
