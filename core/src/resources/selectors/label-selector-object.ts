import { isJsonObject, memberOf } from '../schema/json-value.js';
import { invalidSelector } from './selector-errors.js';
import { checkedRequirement, labelSelector, type LabelRequirement, type LabelSelector } from './label-requirement.js';

const operators: Readonly<Record<string, LabelRequirement['operator']>> = {
  In: 'in',
  NotIn: 'notIn',
  Exists: 'exists',
  DoesNotExist: 'absent',
};

/**
 * A selector as it stands inside of objects, `{ matchLabels, matchExpressions }`. An empty one selects everything; whether a missing one
 * selects everything or nothing is the matter of the field it is missing from.
 *
 * @throws TAP_SELECTOR_INVALID
 */
export function labelSelectorOf(selector: unknown): LabelSelector {
  const labels = memberOf(selector, 'matchLabels');
  const expressions = memberOf(selector, 'matchExpressions') ?? [];
  const equalities = Object.entries(isJsonObject(labels) ? labels : {}).map(([key, value]) =>
    checkedRequirement({ key, operator: 'in', values: [String(value)] }),
  );
  if (!Array.isArray(expressions)) throw invalidSelector('matchExpressions must be a list');
  return labelSelector([...equalities, ...expressions.map(expression)]);
}

function expression(value: unknown): LabelRequirement {
  const [key, name, values] = [memberOf(value, 'key'), memberOf(value, 'operator'), memberOf(value, 'values') ?? []];
  const operator = typeof name === 'string' && Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (typeof key !== 'string' || operator === undefined || !Array.isArray(values)) {
    throw invalidSelector(`a match expression needs a key and one of the operators ${Object.keys(operators).join(', ')}`);
  }
  const needsValues = operator === 'in' || operator === 'notIn';
  if (needsValues !== values.length > 0)
    throw invalidSelector(`the operator ${String(name)} of a match expression takes ${needsValues ? 'values' : 'no values'}`);
  return checkedRequirement({ key, operator, values: values.map(String) });
}
