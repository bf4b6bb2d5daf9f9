import { type Action, type Immutable, type RequestContext, serviceAccountUser, type TokenService, Type } from '@tappaas/sdk';
import type { ServiceAccount } from '@tappaas/sdk/kubernetes';
import { boundSecretUid } from './bound-object.js';
import { errors } from './errors.js';
import { answeredMetadata, inSeconds, requestMetadata } from './request-metadata.js';
import { serviceAccounts } from './service-accounts.js';
import type { Settings } from './settings.js';
import { scopeClaim } from './token-scope.js';

const lifetimeSecondsMin = 600;

const reference = Type.Object({
  kind: Type.Optional(Type.String({ maxLength: 63, description: 'Kind of the object: Secret.' })),
  apiVersion: Type.Optional(Type.String({ maxLength: 63, description: 'Its version: v1.' })),
  name: Type.Optional(Type.String({ maxLength: 253, description: 'Its name.' })),
  uid: Type.Optional(Type.String({ maxLength: 64, description: 'Its uid; the object must have it.' })),
});
const specSchema = Type.Object({
  audiences: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
    default: [],
    maxItems: 16,
    description: 'Audiences of the token. Default: this platform’s API.',
  }),
  expirationSeconds: Type.Optional(
    Type.Integer({ minimum: lifetimeSecondsMin, maximum: 4_294_967_296, description: 'Requested lifetime, seconds.' }),
  ),
  boundObjectRef: Type.Optional(Type.Unsafe<Type.Static<typeof reference> | null>({ ...reference, nullable: true })),
});
const typeMeta = {
  apiVersion: Type.Optional(Type.Literal('authentication.k8s.io/v1')),
  kind: Type.Optional(Type.Literal('TokenRequest')),
};
const input = Type.Object({
  ...typeMeta,
  metadata: Type.Optional(requestMetadata),
  spec: Type.Optional(specSchema),
  status: Type.Optional(Type.Unknown()),
});
const output = Type.Object({
  ...typeMeta,
  metadata: Type.Optional(Type.Unknown()),
  spec: specSchema,
  status: Type.Object({
    token: Type.String({ description: 'The token; empty on a dry run.' }),
    expirationTimestamp: Type.String({ format: 'date-time', description: 'When the token expires.' }),
  }),
});

type Request = Immutable<Type.Static<typeof input>>;
type Answer = Type.Static<typeof output>;

/**
 * `POST …/serviceaccounts/{name}/token`, as in Kubernetes. Unlike there, the token has the scope of the credential that requested it:
 * otherwise a caller with a restricted credential could get all rights of the service account.
 */
export function tokenAction(settings: Settings, tokens: TokenService): Action<typeof serviceAccounts, typeof input, typeof output> {
  return {
    on: serviceAccounts,
    name: 'token',
    description: 'Issues a short-lived token for the service account (TokenRequest).',
    input,
    output,
    handle: ({ object, input: request, dryRun }, context) => answer(object, request, dryRun, { settings, tokens, context }),
  };
}

interface Parts {
  readonly settings: Settings;
  readonly tokens: TokenService;
  readonly context: RequestContext;
}

async function answer(account: Immutable<ServiceAccount>, { spec, metadata }: Request, dryRun: boolean, parts: Parts): Promise<Answer> {
  const { settings, tokens, context } = parts;
  const { name = '', namespace = '', uid = '', deletionTimestamp } = account.metadata;
  if (deletionTimestamp !== undefined) {
    throw errors.IDENTITY_SERVICEACCOUNT_REQUEST_INVALID({ message: `service account ${namespace}/${name} is being deleted` });
  }
  const answered = answeredMetadata(metadata, { name, namespace, uid }, context.clock.nowMs());
  const wished = spec?.audiences ?? [];
  const audiences = wished.length > 0 ? [...wished] : [await tokens.issuer()];
  const expirationSeconds = Math.min(spec?.expirationSeconds ?? settings.lifetimeSeconds, settings.lifetimeSecondsMax);
  const bound = spec?.boundObjectRef ?? undefined;
  const secretUid = bound === undefined ? undefined : await boundSecretUid(bound, namespace, context.asPlugin);
  const claims = {
    sub: serviceAccountUser(namespace, name),
    aud: audiences,
    ...(context.caller.scope !== undefined && { [scopeClaim]: context.caller.scope }),
    'kubernetes.io': {
      namespace,
      serviceaccount: { name, uid },
      ...(secretUid !== undefined && { secret: { name: bound?.name, uid: secretUid } }),
    },
  };
  const made = dryRun
    ? { token: '', expiresAtMs: context.clock.nowMs() + expirationSeconds * 1000 }
    : await tokens.sign(claims, { lifetimeMs: expirationSeconds * 1000 });
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: answered,
    spec: {
      audiences,
      expirationSeconds,
      ...(bound !== undefined && { boundObjectRef: { ...bound, ...(secretUid !== undefined && { uid: secretUid }) } }),
    },
    status: { token: made.token, expirationTimestamp: inSeconds(made.expiresAtMs) },
  };
}
