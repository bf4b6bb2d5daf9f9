import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** Maximum depth of nested brackets; Cedar's parser fails at about 100. */
export const bracketsMax = 64;

/** Maximum depth of nested expressions, including operators chained in a row; Cedar's evaluator fails at about 300. */
export const expressionsMax = 200;

/** String literals and comments are skipped, including unterminated ones. */
const tokens = /"(?:[^"\\]|\\.)*"?|\/\/[^\n]*|[()[\]{}]/gs;
const opening = '([{';
const closing = ')]}';

/** Position of the first bracket beyond the maximum depth; undefined if there is none. */
export function deepBracketIn(text: string): number | undefined {
  let open = 0;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (opening.includes(token)) open += 1;
    else if (closing.includes(token)) open -= 1;
    if (open > bracketsMax) return index;
  }
  return undefined;
}

/** Whether a policy's conditions contain expressions beyond the maximum depth. */
export function isNestedTooDeep({ conditions }: PolicyJson): boolean {
  // Each expression adds two levels in the JSON form: its name and its operands.
  return conditions.some(({ body }) => isDeeperThan(body, 2 * expressionsMax));
}

/** Recurses at most `levels` deep, so that its own use of the stack is bounded. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(part, levels - 1));
}
