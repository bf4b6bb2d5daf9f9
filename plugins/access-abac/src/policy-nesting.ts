import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** Brackets in each other; Cedar's parser ends at about 100. */
export const bracketsMax = 64;

/** Operators, conditions and calls in each other, one after the other in a row counted too; Cedar's evaluation ends at about 300. */
export const expressionsMax = 200;

/** Texts and comments are passed over, also those without an end. */
const tokens = /"(?:[^"\\]|\\.)*"?|\/\/[^\n]*|[()[\]{}]/gs;
const opening = '([{';
const closing = ')]}';

/** Where a text opens more brackets in each other than are allowed; nothing when it never does. */
export function deepBracketIn(text: string): number | undefined {
  let open = 0;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (opening.includes(token)) open += 1;
    else if (closing.includes(token)) open -= 1;
    if (open > bracketsMax) return index;
  }
  return undefined;
}

/** Whether a policy's conditions hold more expressions in each other than are allowed. */
export function isNestedTooDeep({ conditions }: PolicyJson): boolean {
  // Of each expression, its name and its parts.
  return conditions.some(({ body }) => isDeeperThan(body, 2 * expressionsMax));
}

/** Asks no more of the stack than that many levels. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(part, levels - 1));
}
