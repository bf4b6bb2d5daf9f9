import type { Body } from './stored-object.js';

/**
 * The text of an object without its resourceVersion, which is the store's to say. What names its kind comes first, then the metadata
 * and in it the managed fields, so that a version can be put in and the managed fields be left out without parsing anything.
 */
export function textOf({ apiVersion, kind, metadata, ...rest }: Body): string {
  const { resourceVersion: _, managedFields, ...kept } = metadata;
  return JSON.stringify({ apiVersion, kind, metadata: { ...(managedFields && { managedFields }), ...kept }, ...rest });
}

/** Whether a text begins as {@link textOf} writes it. */
export function isObjectText(text: string): boolean {
  return lengthOfHead(text) > 0;
}

/** The text with a resourceVersion in it, as it goes over the wire. */
export function withVersion(text: string, resourceVersion: string): string {
  const head = lengthOfHead(text);
  const comma = text[head] === '}' ? '' : ',';
  return `${text.slice(0, head)}"resourceVersion":"${resourceVersion}"${comma}${text.slice(head)}`;
}

/** The text without the managed fields: more than half of most texts, and of interest to who writes only. */
export function withoutManagedFields(text: string): string {
  const head = lengthOfHead(text);
  if (!text.startsWith(managedFields, head)) return text;
  const end = endOfList(text, head + managedFields.length - 1);
  return text.slice(0, head) + text.slice(text[end] === ',' ? end + 1 : end);
}

const managedFields = '"managedFields":[';

function lengthOfHead(text: string): number {
  return /^\{"apiVersion":"[^"\\]*","kind":"[^"\\]*","metadata":\{/.exec(text)?.[0].length ?? 0;
}

/** Where the list that begins at `start` has ended. */
function endOfList(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') depth += 1;
    else if ((character === ']' || character === '}') && --depth === 0) return at + 1;
  }
  return text.length;
}

/** Where the quotation mark is that closes the one at `start`: the next that no odd number of backslashes stands before. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at > 0; at = text.indexOf('"', at + 1)) {
    let before = at;
    while (text[before - 1] === '\\') before -= 1;
    if ((at - before) % 2 === 0) return at;
  }
  return text.length;
}
