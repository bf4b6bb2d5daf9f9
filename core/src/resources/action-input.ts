import type { Type } from '@tappaas/sdk';
import { explained, resourceErrors } from './errors.js';
import { toOpenApi } from './kind-schema.js';
import { applyDefaults } from './schema/defaulting.js';
import { causeText, forbidden } from './schema/cause.js';
import { fieldType } from './schema/field-type.js';
import type { JsonObject } from './schema/json-value.js';
import { pruneUnknown } from './schema/unknown-fields.js';
import { validate } from './schema/validation.js';

/** Identifies an action and its input schema. */
export interface ActionOf {
  readonly group: string;
  readonly kind: string;
  readonly action: string;
  readonly input: Type.TObject;
}

/**
 * Makes a reader of action inputs, which treats them like specs: unknown fields are refused, defaults filled in, and all problems reported
 * together. The schema is analyzed when the first input arrives.
 */
export function createActionInput({ group, kind, action, input }: ActionOf): (given: JsonObject, name: string) => JsonObject {
  const type = fieldType(toOpenApi(input));
  return (given, name) => {
    const { object, unknown } = pruneUnknown(type, given);
    const read = applyDefaults(type, object);
    const causes = [...unknown.map((field) => forbidden(field, 'unknown field')), ...validate(type, read)];
    const [first] = causes;
    if (first === undefined) return read;
    const message = `the input of ${action} of ${kind} "${name}" is invalid: ${causes.map(causeText).join(', ')}`;
    throw explained(resourceErrors.TAP_OBJECT_INVALID({ message, field: first.field }), { group, kind, name }, causes);
  };
}
