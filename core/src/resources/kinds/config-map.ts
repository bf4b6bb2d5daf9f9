import type { AnyKind, KindBehaviour } from '@tappaas/sdk';
import type { JsonObject } from '../schema/json-value.js';
import { entriesOf, frozenDenials, keyDenials, sizeDenials } from './key-values.js';

const fields = ['data', 'binaryData'];

/** Rules of ConfigMaps beyond their schema: valid keys, immutability, and the total size of the values. */
export const configMapBehaviour: KindBehaviour<AnyKind> = {
  check(object: JsonObject, previous?: JsonObject) {
    const entries = fields.map((field) => [field, entriesOf(object, field)] as const);
    const bytes = entries.flatMap(([, values]) => values).reduce((sum, [, value]) => sum + Buffer.byteLength(String(value)), 0);
    return [...keyDenials(entries), ...frozenDenials(object, previous, fields), ...sizeDenials('data', bytes)];
  },
};
