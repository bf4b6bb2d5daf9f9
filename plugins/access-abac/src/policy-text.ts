import type { PolicyJson, PolicyToJsonAnswer } from '@cedar-policy/cedar-wasm/nodejs';
import type { Denial } from '@tappaas/sdk';
import { isTrap, OwnCedar, type Cedar } from './cedar.js';
import { bracketsMax, deepBracketIn, expressionsMax, isNestedTooDeep } from './policy-nesting.js';
import { schema } from './schema.js';

interface Fault {
  readonly message: string;
  readonly help?: string | null;
  readonly sourceLocations?: readonly { readonly label: string | null; readonly start: number; readonly end: number }[] | null;
}

const field = 'spec.cedar';

/**
 * The policies of a text, each under an id that contains the object's name. @throws TypeError for a text that was not
 * validated before
 */
export function policiesIn(cedar: Cedar, name: string, text: string): Readonly<Record<string, string>> {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure') throw new TypeError(`policy ${name} cannot be read: ${parts.errors[0]?.message ?? 'unknown'}`);
  return Object.fromEntries(parts.policies.map((policy, index) => [`${name}/${index}`, policy]));
}

/** Validates policy texts in a Cedar instance that makes no decisions, so that a text that traps it affects no request. */
export class PolicyChecker {
  readonly #cedar = new OwnCedar();

  /** Parses the schema in advance, so that no write waits for it. */
  warm(): void {
    this.#cedar.use((cedar) => cedar.checkParseSchema(schema));
  }

  /** All faults of a text, with line and column. */
  faultsIn(text: string): readonly Denial[] {
    const deep = deepBracketIn(text);
    if (deep !== undefined) return [invalid(`line ${placeOf(text, deep)}: expected at most ${bracketsMax} brackets in each other`)];
    try {
      return this.#cedar.use((cedar) => faultsIn(cedar, text));
    } catch (error) {
      if (!isTrap(error)) throw error;
      return [invalid('Cedar cannot read it, as it is too large or nested too deep: write it as several policies')];
    }
  }
}

function faultsIn(cedar: Cedar, text: string): readonly Denial[] {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure') return parts.errors.map((fault) => denial(text, fault));
  if (parts.policies.length + parts.policy_templates.length === 0) return [invalid('expected at least one policy, found none')];
  if (parts.policy_templates.length > 0)
    return [invalid('templates are not supported: write the user or object instead of ?principal or ?resource')];
  const forms = parts.policies.map((policy) => cedar.policyToJson(policy));
  const permits = placesOf(forms, ({ effect }) => effect === 'permit');
  if (permits.length > 0) {
    return [
      invalid(
        `policy ${permits.join(', ')} of the text permits: roles grant, policies can only forbid; write forbid, with unless for exceptions`,
      ),
    ];
  }
  const deep = placesOf(forms, isNestedTooDeep);
  if (deep.length > 0) {
    return [
      invalid(
        `policy ${deep.join(', ')} of the text: expected at most ${expressionsMax} operators in each other or in a row; write several policies, or a set with contains`,
      ),
    ];
  }
  const checked = cedar.validate({ schema, policies: { staticPolicies: text } });
  if (checked.type === 'failure') return checked.errors.map((fault) => denial(text, fault));
  return checked.validationErrors.map(({ error }) => denial(text, error));
}

/** Positions of the policies in the text that match the predicate, counted from 1. */
function placesOf(forms: readonly PolicyToJsonAnswer[], isSo: (policy: PolicyJson) => boolean): readonly number[] {
  return forms.flatMap((form, index) => (form.type === 'success' && isSo(form.json) ? [index + 1] : []));
}

function denial(text: string, { message, help, sourceLocations }: Fault): Denial {
  const [place] = sourceLocations ?? [];
  const where = place === undefined ? '' : `line ${position(text, place.start)}: `;
  const more = [place?.label, help].filter((each) => each !== null && each !== undefined && each !== '').join('; ');
  return invalid(`${where}${message}${more === '' ? '' : ` (${more})`}`);
}

/** Cedar reports positions in bytes. */
function position(text: string, byte: number): string {
  return placeOf(text, new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byte)).length);
}

function placeOf(text: string, index: number): string {
  const before = text.slice(0, index);
  return `${before.split('\n').length}, column ${index - before.lastIndexOf('\n')}`;
}

const invalid = (message: string): Denial => ({ field, reason: 'FieldValueInvalid', message });
