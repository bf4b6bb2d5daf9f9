import { createHash } from 'node:crypto';

/** Serializes JSON with sorted keys and without undefined members, so that equal content has equal text regardless of its construction. */
export function canonicalJson(value: unknown): string {
  return textOf(value) ?? 'null';
}

/** The format must never change, because digests of this text are stored. */
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

/** Sorts by code unit, but integers first and by value: the order of keys in a sorted JavaScript object. */
function inOrder(names: string[]): readonly string[] {
  const sorted = names.sort();
  if (!sorted.some(isWhole)) return sorted;
  return [...sorted.filter(isWhole).toSorted((one, other) => Number(one) - Number(other)), ...sorted.filter((name) => !isWhole(name))];
}

/** Whether a name is an array index, which JavaScript objects order first. */
function isWhole(name: string): boolean {
  return name <= ':' && /^(?:0|[1-9]\d{0,9})$/.test(name) && Number(name) < 2 ** 32 - 1;
}

/** Returns `sha256:` and the hash of the canonical JSON. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}
