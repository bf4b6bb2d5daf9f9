import { isTapError, TapError } from '@tappaas/sdk';
import type { Cause } from '../ports/engine.js';
import { shown } from './schema/cause.js';
import { isJsonObject, valueAt, type JsonObject } from './schema/json-value.js';

const confidentialPlaces = [['data'], ['stringData'], ['metadata', 'annotations']];
const notShown = '"[not shown]"';

/** Removes the values of a confidential object from messages of findings. */
export function concealValues(causes: readonly Cause[], object: JsonObject): readonly Cause[] {
  const texts = new Set<string>();
  for (const place of confidentialPlaces) gather(valueAt(object, place), texts);
  // The text of a container holds those of its members, perhaps truncated, so replace the longest first.
  const longestFirst = [...texts].sort((one, other) => other.length - one.length);
  return causes.map((cause) => ({
    ...cause,
    message: longestFirst.reduce((text, value) => text.replaceAll(value, notShown), cause.message),
  }));
}

function gather(value: unknown, texts: Set<string>): void {
  if (value === undefined) return;
  texts.add(shown(value));
  if (Array.isArray(value)) for (const item of value) gather(item, texts);
  else if (isJsonObject(value)) for (const member of Object.values(value)) gather(member, texts);
}

/**
 * Hides the message of an error about an unreadable or inapplicable body of a confidential kind, because it quotes the body; the code
 * stays.
 */
export function concealBody(error: unknown): unknown {
  if (!isTapError(error) || !/^TAP_(DOCUMENT|PATCH)_/.test(error.code)) return error;
  return new TapError(error.code, error.spec, { message: 'the body is not accepted; it is not quoted, because it may hold a secret' });
}
