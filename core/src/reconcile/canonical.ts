import { createHash } from 'node:crypto';

/** JSON with sorted keys and without what JSON leaves out: equal for equal content, whoever made it in which order. */
export function canonicalJson(value: unknown): string {
  return textOf(value) ?? 'null';
}

/** Digests of this text are stored: it must never change. */
function textOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item) ?? 'null').join(',')}]`;
  const fields = value as Readonly<Record<string, unknown>>;
  let text = '';
  for (const name of inOrder(Object.keys(fields))) {
    const field = textOf(fields[name]);
    if (field !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${field}`;
  }
  return `{${text}}`;
}

/** By code unit, but whole numbers first and by size: the order that objects with sorted keys have. */
function inOrder(names: string[]): readonly string[] {
  const sorted = names.sort();
  if (!sorted.some(isWhole)) return sorted;
  return [...sorted.filter(isWhole).toSorted((one, other) => Number(one) - Number(other)), ...sorted.filter((name) => !isWhole(name))];
}

/** What a language with arrays for objects takes for an index. */
function isWhole(name: string): boolean {
  return name <= ':' && /^(?:0|[1-9]\d{0,9})$/.test(name) && Number(name) < 2 ** 32 - 1;
}

/** `sha256:` and the hash of the canonical JSON. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}
