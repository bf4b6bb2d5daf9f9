import { documentErrors } from './document-errors.js';
import { fieldPath, itemPath } from './field-path.js';

/** Returns the path of a key or string that is not well-formed Unicode, such as half of a surrogate pair; undefined when all are. */
function brokenTextIn(value: unknown, path: string): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const at = Array.isArray(value) ? itemPath(path, Number(key)) : fieldPath(path, key.toWellFormed());
    const found = key.isWellFormed() ? brokenTextIn(member, at) : at;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Refuses strings that only escapes can express, because stores and other processes cannot represent them. @throws TAP_DOCUMENT_SYNTAX */
export function refuseBrokenText(value: unknown): void {
  const field = brokenTextIn(value, '');
  if (field === undefined) return;
  throw documentErrors.TAP_DOCUMENT_SYNTAX({
    message: `${field || 'the document'}: expected Unicode text, found half of a surrogate pair`,
    field,
  });
}
