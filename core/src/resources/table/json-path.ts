import { equalJson, isJsonObject, memberOf } from '../schema/json-value.js';

/** Returns the values at a path. */
export type JsonPath = (value: unknown) => readonly unknown[];

type Step = (values: readonly unknown[]) => readonly unknown[];

const stepPattern =
  /\.(?<name>(?:\\.|[^.[\]\\])+)|\[(?<index>-?\d{1,9})\]|\['(?<quoted>(?:\\.|[^'\\])*)'\]|\[\?\(@(?<filter>(?:\\.|[^=!)\\])+?)\s*(?<operator>==|!=)\s*(?<literal>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|-?\d+(?:\.\d+)?|true|false)\)\]|(?<all>\[\*\]|\.\*)/y;

/**
 * Compiles the part of JSONPath that columns use: `.a.b`, `.a\.b`, `['a.b']`, `[0]`, `[-1]`, `[*]` and `[?(@.type=="Ready")]`. A leading
 * `$` and enclosing braces are allowed.
 *
 * @source https://kubernetes.io/docs/reference/kubectl/jsonpath/
 * @throws TypeError for anything else; paths come from declarations, not from callers.
 */
export function compileJsonPath(text: string): JsonPath {
  const path = text.replace(/^\{(?<inner>.*)\}$/s, '$1').replace(/^\$/, '');
  const steps: Step[] = [];
  for (let at = 0; at < path.length;) {
    stepPattern.lastIndex = at;
    const match = stepPattern.exec(path);
    if (match?.groups === undefined)
      throw new TypeError(`JSONPath ${JSON.stringify(text)} is not understood at ${JSON.stringify(path.slice(at))}`);
    steps.push(stepOf(match.groups));
    at += match[0].length;
  }
  return (value) => steps.reduce((values, step) => step(values), [value] as readonly unknown[]);
}

function stepOf(groups: Readonly<Record<string, string | undefined>>): Step {
  const { name, quoted, index, filter, operator, literal } = groups;
  const key = name ?? quoted;
  if (key !== undefined && key !== '*') {
    const plain = key.replaceAll(/\\(.)/g, '$1');
    return (values) => values.map((value) => memberOf(value, plain)).filter(isThere);
  }
  if (index !== undefined)
    return (values) => values.map((value) => (Array.isArray(value) ? value.at(Number(index)) : undefined)).filter(isThere);
  if (filter === undefined) return (values) => values.flatMap(partsOf);
  const find = compileJsonPath(filter);
  const wanted: unknown = JSON.parse(literal?.startsWith("'") === true ? JSON.stringify(literal.slice(1, -1)) : (literal ?? 'null'));
  const holds = (item: unknown): boolean => find(item).some((value) => equalJson(value, wanted)) === (operator === '==');
  return (values) => values.flatMap((value) => partsOf(value).filter(holds));
}

const isThere = (value: unknown): boolean => value !== undefined;

function partsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isJsonObject(value) ? Object.values(value) : [];
}
