import type { AnyKind, Denial, KindBehaviour } from '@tappaas/sdk';
import { memberOf, type JsonObject } from '../schema/json-value.js';
import { entriesOf, frozenDenials, keyDenials, sizeDenials } from './key-values.js';

interface SecretDraft {
  type?: string;
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

/** Required keys of secrets of well-known types. */
const requiredKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
]);

/** Rules of Secrets: `stringData` is write-only and becomes `data`, the type is immutable, and values never appear in messages. */
export const secretBehaviour: KindBehaviour<AnyKind> = {
  default(draft: SecretDraft) {
    draft.type ??= 'Opaque';
    if (draft.stringData === undefined) return;
    const encoded = Object.entries(draft.stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    draft.data = { ...draft.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
    delete draft.stringData;
  },
  check(object: JsonObject, previous?: JsonObject) {
    const entries = entriesOf(object, 'data');
    const bytes = entries.reduce((sum, [, value]) => sum + Math.floor((String(value).length * 3) / 4), 0);
    return [
      ...keyDenials([['data', entries]]),
      ...frozenDenials(object, previous, ['data']),
      ...typeDenials(object, previous),
      ...sizeDenials('data', bytes),
    ];
  },
};

function typeDenials(object: JsonObject, previous: JsonObject | undefined): readonly Denial[] {
  const { type } = object;
  if (previous !== undefined && previous['type'] !== type) {
    return [{ field: 'type', reason: 'FieldValueInvalid', message: 'field is immutable' }];
  }
  const missing = (requiredKeys.get(String(type)) ?? []).filter((key) => memberOf(object['data'], key) === undefined);
  return missing.map((key) => ({
    field: `data[${key}]`,
    reason: 'FieldValueRequired',
    message: `a secret of type ${String(type)} needs it`,
  }));
}
