import { defineKind, Type, type ObjectOf } from '@tappaas/sdk';

/**
 * A browser session of a user who logged in at an OpenID provider; only a hash of its cookie is stored. Deleting the object ends the
 * session.
 */
export const Session = defineKind({
  group: 'identity.tappaas.dev',
  kind: 'Session',
  plural: 'sessions',
  version: 'v1alpha1',
  scope: 'Cluster',
  description: 'A session of a user who logged in with a browser at an OpenID provider. Written by the platform; deleting it ends it.',
  spec: Type.Object({
    issuer: Type.String({ maxLength: 63, description: 'Name of the provider in the plugin’s configuration.' }),
    subject: Type.String({ maxLength: 256, description: 'Subject of the user at the provider.' }),
    sid: Type.Optional(Type.String({ maxLength: 256, description: 'The provider’s own session, for its logout.' })),
    user: Type.String({ maxLength: 256, description: 'Name that the caller has here.' }),
    groups: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 256, description: 'Groups of the caller.' }),
    tenant: Type.Optional(Type.String({ maxLength: 63, description: 'Tenant of the caller.' })),
    cookieId: Type.String({ pattern: '^[0-9a-f]{12}$', description: 'Id of the cookie.' }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the cookie.' }),
    granted: Type.Optional(
      Type.String({ maxLength: 262_144, description: 'Tokens that the provider granted, sealed: only the platform can open them.' }),
    ),
    validUntil: Type.String({
      format: 'date-time',
      description: 'The provider’s statements are valid until then; it is asked again before.',
    }),
    expiresAt: Type.String({ format: 'date-time', description: 'The session ends then in any case.' }),
  }),
  status: Type.Object({}),
  immutable: ['spec.issuer', 'spec.subject', 'spec.cookieId', 'spec.sha256', 'spec.expiresAt'],
  fields: ['spec.cookieId', 'spec.user', 'spec.tenant', 'spec.subject', 'spec.sid'],
  owner: { user: 'spec.user', tenant: 'spec.tenant' },
  columns: [
    { name: 'User', path: '.spec.user', description: 'Name that the caller has here.' },
    { name: 'Provider', path: '.spec.issuer', description: 'Where the caller logged in.' },
    { name: 'Expires', path: '.spec.expiresAt', description: 'The session ends then in any case.' },
  ],
});

/** A Session object. */
export type SessionObject = ObjectOf<typeof Session>;
