import { isJsonObject, memberOf } from '../schema/json-value.js';
import { checkLength, invalidSelector } from './selector-errors.js';
import { checkedRequirement, labelSelector, type LabelRequirement, type LabelSelector } from './label-requirement.js';

/**
 * Parses a selector in the form of `kubectl get -l`; the empty one selects everything.
 *
 * @source https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
 * @throws TAP_SELECTOR_INVALID
 */
export function parseLabelSelector(text: string): LabelSelector {
  checkLength(text);
  return labelSelector(new Parser(text).requirements());
}

const token = /[(),]|!=|==|=|!|<|>|[^\s(),=!<>]+/y;
const space = /\s*/y;

class Parser {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = this.#split(text);
  }

  requirements(): readonly LabelRequirement[] {
    const found: LabelRequirement[] = [];
    if (this.#tokens.length === 0) return found;
    for (;;) {
      found.push(checkedRequirement(this.#requirement()));
      const next = this.#take();
      if (next === undefined) return found;
      if (next !== ',') throw this.#unexpected(next, "',' or the end");
    }
  }

  #split(text: string): readonly string[] {
    const tokens: string[] = [];
    let at = 0;
    for (;;) {
      space.lastIndex = at;
      at += space.exec(text)?.[0].length ?? 0;
      token.lastIndex = at;
      const found = token.exec(text)?.[0];
      if (found === undefined) return tokens;
      tokens.push(found);
      at += found.length;
    }
  }

  #take(): string | undefined {
    return this.#tokens[this.#at++];
  }

  #requirement(): LabelRequirement {
    const isAbsent = this.#tokens[this.#at] === '!';
    if (isAbsent) this.#at++;
    const key = this.#word('a key');
    const operator = this.#tokens[this.#at];
    if (operator === undefined || operator === ',') return { key, operator: isAbsent ? 'absent' : 'exists', values: [] };
    if (isAbsent) throw this.#unexpected(operator, "',' or the end after '!' and a key");
    this.#at++;
    switch (operator) {
      case '=':
      case '==':
        return { key, operator: 'in', values: [this.#value()] };
      case '!=':
        return { key, operator: 'notIn', values: [this.#value()] };
      case '>':
      case '<':
        return { key, operator: operator === '>' ? 'greater' : 'less', values: [this.#value()] };
      case 'in':
      case 'notin':
        return { key, operator: operator === 'in' ? 'in' : 'notIn', values: this.#list() };
      default:
        throw this.#unexpected(operator, 'one of =, ==, !=, in, notin, <, > after the key');
    }
  }

  #word(what: string): string {
    const word = this.#take();
    if (word === undefined || /^[(),=!<>]/.test(word)) throw this.#unexpected(word, what);
    return word;
  }

  /** A missing value is the empty string. */
  #value(): string {
    const next = this.#tokens[this.#at];
    return next === undefined || next === ',' || next === ')' ? '' : this.#word('a value');
  }

  #list(): readonly string[] {
    const open = this.#take();
    if (open !== '(') throw this.#unexpected(open, "'('");
    const values = new Set<string>();
    for (;;) {
      values.add(this.#value());
      const next = this.#take();
      if (next === ')') return [...values];
      if (next !== ',') throw this.#unexpected(next, "',' or ')'");
    }
  }

  #unexpected(found: string | undefined, expected: string) {
    const shown = found === undefined ? 'the end' : `'${found}'`;
    return invalidSelector(`unable to parse the label selector ${JSON.stringify(this.#text)}: found ${shown}, expected ${expected}`);
  }
}

const operators: Readonly<Record<string, LabelRequirement['operator']>> = {
  In: 'in',
  NotIn: 'notIn',
  Exists: 'exists',
  DoesNotExist: 'absent',
};

/**
 * Converts a selector object, `{ matchLabels, matchExpressions }`. An empty one selects everything; whether a missing one selects
 * everything or nothing depends on the field.
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

/** Formats the selector as text that parses to the same selector. */
export function labelSelectorText(selector: LabelSelector): string {
  return selector.requirements.map(requirementText).join(',');
}

function requirementText({ key, operator, values }: LabelRequirement): string {
  const single = values.length === 1;
  switch (operator) {
    case 'in':
      return single ? `${key}=${values[0]}` : `${key} in (${values.toSorted().join(',')})`;
    case 'notIn':
      return single ? `${key}!=${values[0]}` : `${key} notin (${values.toSorted().join(',')})`;
    case 'exists':
      return key;
    case 'absent':
      return `!${key}`;
    default:
      return `${key}${operator === 'greater' ? '>' : '<'}${values[0]}`;
  }
}
