import { Type, type Immutable } from '@tappaas/sdk';
import { errors } from './errors.js';

const text = (what: string) =>
  Type.Optional(Type.String({ maxLength: 253, description: `${what}; empty or that of the service account.` }));
const words = (what: string) =>
  Type.Optional(
    Type.Unsafe<Readonly<Record<string, string>> | null>({
      ...Type.Record(Type.String(), Type.String()),
      nullable: true,
      description: what,
    }),
  );
const ignored = Type.Optional(Type.Unknown());

const fields = Type.Object({
  name: text('Name'),
  namespace: text('Namespace'),
  uid: text('Uid'),
  labels: words('Come back as they were sent.'),
  annotations: words('Come back as they were sent.'),
  creationTimestamp: ignored,
  deletionGracePeriodSeconds: ignored,
  deletionTimestamp: ignored,
  finalizers: ignored,
  generateName: ignored,
  generation: ignored,
  managedFields: ignored,
  ownerReferences: ignored,
  resourceVersion: ignored,
  selfLink: ignored,
});
type Fields = Type.Static<typeof fields>;

/**
 * Metadata of a TokenRequest: the fields that Kubernetes checks are validated, the other fields of object metadata are ignored.
 *
 * @source Kubernetes, `pkg/registry/core/serviceaccount/storage/token.go`
 */
export const requestMetadata = Type.Unsafe<Fields | null>({
  ...fields,
  nullable: true,
  description: 'Metadata of the service account; optional, and checked where given.',
});

interface Account {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

/**
 * Returns the metadata of the response. A request whose metadata names another account than the path is refused, so that its sender does
 * not get a token of the wrong account.
 *
 * @throws IDENTITY_SERVICEACCOUNT_REQUEST_INVALID, IDENTITY_SERVICEACCOUNT_ACCOUNT_MISMATCH
 */
export function answeredMetadata(metadata: Immutable<Fields> | null | undefined, account: Account, nowMs: number): object {
  const { uid = '', labels, annotations } = metadata ?? {};
  for (const part of ['name', 'namespace'] as const) {
    const requested = metadata?.[part] ?? '';
    if (requested === '' || requested === account[part]) continue;
    const field = `metadata.${part}`;
    const message = `${field}: Invalid value: "${requested}": must match the service account ${part} if specified`;
    throw errors.IDENTITY_SERVICEACCOUNT_REQUEST_INVALID({ message, field });
  }
  if (uid !== '' && uid !== account.uid) {
    const message = `the UID in the token request (${uid}) does not match the UID of the service account (${account.uid})`;
    throw errors.IDENTITY_SERVICEACCOUNT_ACCOUNT_MISMATCH({ message, field: 'metadata.uid' });
  }
  const creationTimestamp = inSeconds(nowMs);
  return { ...account, creationTimestamp, ...(labels && { labels }), ...(annotations && { annotations }) };
}

/** Formats a time as Kubernetes does, without fractions of a second. */
export const inSeconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
