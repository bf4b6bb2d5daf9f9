/**
 * Returns the known name that was most likely meant: up to a third of the letters, or one, may be mistyped. The part up to the last dot, if
 * it is the same in both names, is not counted, so that it does not allow more mistakes.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const shared = sharedFamily(name, candidate);
    const mistyped = name.slice(shared);
    const distance = editDistance(mistyped.toLowerCase(), candidate.slice(shared).toLowerCase());
    if (distance < least && distance <= Math.max(1, Math.floor(mistyped.length / 3))) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Length of the common part of two dotted names, up to the last dot of the first. */
function sharedFamily(name: string, other: string): number {
  const family = name.slice(0, name.lastIndexOf('.') + 1);
  return other.startsWith(family) ? family.length : 0;
}

/** Returns `; did you mean "x"?`, or the empty string. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}

/**
 * Counts insertions, deletions, replacements and transpositions. @source Damerau, "A technique for computer detection and correction of
 * spelling errors", 1964
 */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced, swapped));
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}
