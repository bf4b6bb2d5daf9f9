import type { Cause } from '../ports/engine.js';
import { concealValues } from './concealment.js';
import { explained, resourceErrors } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import { metadataOf } from './object-metadata.js';
import { causeText } from './schema/cause.js';
import type { Body } from './stored-object.js';
import { label } from './target.js';

/** Combines all findings into one error. */
export function invalid(entry: KindEntry, object: Body, found: readonly Cause[], uid?: string): Error {
  const causes = entry.isConfidential ? concealValues(found, object) : found;
  const { name = '' } = metadataOf(object) as Partial<Body['metadata']>;
  const about = { group: entry.group, kind: entry.kind, name, ...(uid !== undefined && { uid }) };
  const message = `${entry.kind}${entry.group === '' ? '' : `.${entry.group}`} "${name}" is invalid: ${listed(causes)}`;
  const [first] = causes;
  return explained(resourceErrors.TAP_OBJECT_INVALID({ message, ...(first && { field: first.field }) }), about, causes);
}

/** Combines all denials into one error; if all are about field values, the object is invalid rather than denied. */
export function denied(entry: KindEntry, object: Body, causes: readonly Cause[]): Error {
  if (causes.every(({ reason }) => reason.startsWith('FieldValue'))) return invalid(entry, object, causes);
  const { name } = object.metadata;
  const message = `${label(entry, name)} is denied: ${listed(causes.map((cause) => ({ ...cause, message: `${cause.message}${by(cause)}` })))}`;
  const about = { group: entry.group, kind: entry.kind, name };
  return explained(resourceErrors.TAP_OBJECT_DENIED({ message }), about, causes);
}

const by = ({ plugin }: Cause): string => (plugin === undefined ? '' : ` (${plugin})`);

function listed(causes: readonly Cause[]): string {
  const texts = causes.map(causeText);
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}
