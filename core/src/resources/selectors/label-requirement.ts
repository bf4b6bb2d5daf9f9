import { isLabelValue, isQualifiedName } from '../schema/names.js';
import { invalidSelector } from './selector-errors.js';

/** One condition on the labels of an object. `notIn` also matches objects without the label. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notIn' | 'exists' | 'absent' | 'greater' | 'less';
  readonly values: readonly string[];
}

/** A condition that an index can answer: the label has one of these values or, without values, is present. */
export interface LabelLookup {
  readonly key: string;
  readonly values: readonly string[] | undefined;
}

/** A parsed selector: every requirement must hold. */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[];
  readonly matches: (labels: Readonly<Record<string, string>> | undefined) => boolean;
  /** Conditions that the label index answers; `isExact` when nothing else is left to match. */
  readonly lookups: readonly LabelLookup[];
  readonly isExact: boolean;
}

/** Makes a selector from valid requirements. */
export function labelSelector(requirements: readonly LabelRequirement[]): LabelSelector {
  const tests = requirements.map((requirement) => ({ ...requirement, set: new Set(requirement.values) }));
  const positive = requirements.filter(({ operator }) => operator === 'in' || operator === 'exists');
  return Object.freeze({
    requirements: Object.freeze([...requirements]),
    matches: (labels: Readonly<Record<string, string>> | undefined) => tests.every((test) => holds(test, labels)),
    lookups: positive.map(({ key, operator, values }) => ({ key, values: operator === 'in' ? values : undefined })),
    isExact: positive.length === requirements.length,
  });
}

type Test = LabelRequirement & { readonly set: ReadonlySet<string> };

function holds({ key, operator, values, set }: Test, labels: Readonly<Record<string, string>> | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
      return value !== undefined && set.has(value);
    case 'notIn':
      return value === undefined || !set.has(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    default: {
      const [number, limit] = [wholeNumber(value), wholeNumber(values[0])];
      if (number === undefined || limit === undefined) return false;
      return operator === 'greater' ? number > limit : number < limit;
    }
  }
}

function wholeNumber(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
}

/** Returns the requirement if its key and values are valid. @throws TAP_SELECTOR_INVALID */
export function checkedRequirement(requirement: LabelRequirement): LabelRequirement {
  const [keyRule] = isQualifiedName(requirement.key);
  if (keyRule !== undefined) throw invalidSelector(`the key ${JSON.stringify(requirement.key)} of a label selector: ${keyRule}`);
  for (const value of requirement.values) {
    const [rule] = isLabelValue(value);
    if (rule !== undefined) throw invalidSelector(`the value ${JSON.stringify(value)} of a label selector: ${rule}`);
  }
  const isOrder = requirement.operator === 'greater' || requirement.operator === 'less';
  if (isOrder && wholeNumber(requirement.values[0]) === undefined) {
    throw invalidSelector(`the value ${JSON.stringify(requirement.values[0])} of a label selector must be a whole number to be compared`);
  }
  return requirement;
}
