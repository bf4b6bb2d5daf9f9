import type { Type } from '@tappaas/sdk';
import { explained, resourceErrors } from './errors.js';
import { toOpenApi } from './kind-schema.js';
import { applyDefaults } from './schema/defaulting.js';
import { causeText, forbidden } from './schema/cause.js';
import { fieldType } from './schema/field-type.js';
import type { JsonObject } from './schema/json-value.js';
import { pruneUnknown } from './schema/unknown-fields.js';
import { validate } from './schema/validation.js';

/** The action whose input is read. */
export interface ActionOf {
  readonly group: string;
  readonly kind: string;
  readonly action: string;
  readonly input: Type.TObject;
}

/**
 * Reads inputs of an action as specs are read: unknown fields are refused, defaults filled in, and everything that is wrong is told at
 * once. The schema is looked into when the first input comes.
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
