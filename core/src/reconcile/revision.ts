/**
 * Compares two resource versions of one API server: negative, zero or positive.
 *
 * They are decimal numbers that may exceed a double, so the longer one is larger and equally long ones are compared as text.
 *
 * @source KEP-5504, resource versions of one resource are comparable
 */
export function compareRevisions(one: string, other: string): number {
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : one > other ? 1 : 0;
}
