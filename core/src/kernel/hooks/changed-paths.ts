/** A longer list would not help the reader; the rest is replaced by one `…`. */
const pathsMax = 256;

/**
 * Returns JSON pointers to the differences of two plain values, never the values. Identical objects are skipped, so the cost depends on the
 * size of the change. A list with a changed length is reported as a whole.
 */
export function changedPaths(before: unknown, after: unknown): readonly string[] {
  const paths: string[] = [];
  collect(before, after, '', paths);
  return paths.length > pathsMax ? [...paths.slice(0, pathsMax), '…'] : paths;
}

function collect(before: unknown, after: unknown, path: string, paths: string[]): void {
  if (Object.is(before, after) || paths.length > pathsMax) return;
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    if (Array.isArray(before) && Array.isArray(after) && before.length !== after.length) {
      paths.push(path);
      return;
    }
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      collect(before[key], after[key], `${path}/${pointerToken(key)}`, paths);
    }
    return;
  }
  paths.push(path);
}

const isContainer = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);

/** @source RFC 6901 */
const pointerToken = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');
