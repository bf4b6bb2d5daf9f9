/**
 * The known name that was most likely meant: at most a third of it mistyped, at least one letter. What it shares with a name up to a dot
 * is right and does not excuse the rest.
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

/** Length of what two dotted names have in common up to the last dot of the first. */
function sharedFamily(name: string, other: string): number {
  const family = name.slice(0, name.lastIndexOf('.') + 1);
  return other.startsWith(family) ? family.length : 0;
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}

/** Insertions, deletions, replacements and swaps of neighbours. @source Damerau, "A technique for computer detection and correction of spelling errors", 1964 */
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
