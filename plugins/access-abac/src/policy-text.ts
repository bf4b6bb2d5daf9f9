import type { Denial } from '@tappaas/sdk';
import { cedar } from './cedar.js';
import { schema } from './schema.js';

interface Fault {
  readonly message: string;
  readonly help?: string | null;
  readonly sourceLocations?: readonly { readonly label: string | null; readonly start: number; readonly end: number }[] | null;
}

const field = 'spec.cedar';

/** The policies in a text, each by an id that names the object. @throws TypeError for a text that was not checked */
export function policiesIn(name: string, text: string): Readonly<Record<string, string>> {
  const parts = cedar().policySetTextToParts(text);
  if (parts.type === 'failure') throw new TypeError(`policy ${name} cannot be read: ${parts.errors[0]?.message ?? 'unknown'}`);
  return Object.fromEntries(parts.policies.map((policy, index) => [`${name}/${index}`, policy]));
}

/** Everything that is wrong with a text, with line and column. */
export function faultsIn(text: string): readonly Denial[] {
  const parts = cedar().policySetTextToParts(text);
  if (parts.type === 'failure') return parts.errors.map((fault) => denial(text, fault));
  if (parts.policies.length + parts.policy_templates.length === 0) return [invalid('expected at least one policy, found none')];
  if (parts.policy_templates.length > 0)
    return [invalid('templates are not supported: write the user or object instead of ?principal or ?resource')];
  const permits = parts.policies.flatMap((policy, index) => {
    const parsed = cedar().policyToJson(policy);
    return parsed.type === 'success' && parsed.json.effect === 'permit' ? [index + 1] : [];
  });
  if (permits.length > 0) {
    return [
      invalid(
        `policy ${permits.join(', ')} of the text permits: roles grant, policies can only forbid; write forbid, with unless for exceptions`,
      ),
    ];
  }
  const checked = cedar().validate({ schema, policies: { staticPolicies: text } });
  if (checked.type === 'failure') return checked.errors.map((fault) => denial(text, fault));
  return checked.validationErrors.map(({ error }) => denial(text, error));
}

function denial(text: string, { message, help, sourceLocations }: Fault): Denial {
  const [place] = sourceLocations ?? [];
  const where = place === undefined ? '' : `line ${position(text, place.start)}: `;
  const more = [place?.label, help].filter((each) => each !== null && each !== undefined && each !== '').join('; ');
  return invalid(`${where}${message}${more === '' ? '' : ` (${more})`}`);
}

/** Cedar counts bytes. */
function position(text: string, byte: number): string {
  const before = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byte));
  const line = before.split('\n').length;
  return `${line}, column ${before.length - before.lastIndexOf('\n')}`;
}

const invalid = (message: string): Denial => ({ field, reason: 'FieldValueInvalid', message });
