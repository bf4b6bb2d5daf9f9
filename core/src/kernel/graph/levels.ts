/** `from` must come before `to`; `because` is shown if the edge is part of a cycle. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly because: string;
}

export interface Levels {
  /** Each level depends only on earlier ones; within a level the given order is kept. */
  readonly levels: readonly (readonly string[])[];
  /** The edges of one cycle in order, if there is one; ids in or behind a cycle are in no level. */
  readonly cycle: readonly Edge[] | undefined;
}

/** Sorts ids into levels. */
export function levelsOf(ids: readonly string[], edges: readonly Edge[]): Levels {
  const levels: string[][] = [];
  let left = new Set(ids);
  const inner = edges.filter(({ from, to }) => left.has(from) && left.has(to));
  while (left.size > 0) {
    const waiting = new Set(inner.filter(({ from, to }) => left.has(from) && left.has(to)).map(({ to }) => to));
    const level = [...left].filter((id) => !waiting.has(id));
    if (level.length === 0) return { levels, cycle: cycleAmong(left, inner) };
    levels.push(level);
    left = new Set([...left].filter((id) => waiting.has(id)));
  }
  return { levels, cycle: undefined };
}

/** Walks backwards from any remaining id until one repeats. */
function cycleAmong(left: ReadonlySet<string>, edges: readonly Edge[]): readonly Edge[] {
  const walked: Edge[] = [];
  let at = [...left][0] as string;
  for (;;) {
    const edge = edges.find(({ from, to }) => to === at && left.has(from));
    if (edge === undefined) return walked.toReversed();
    const seen = walked.findIndex(({ to }) => to === edge.to);
    if (seen >= 0) return walked.slice(seen).toReversed();
    walked.push(edge);
    at = edge.from;
  }
}

/** Formats a cycle: `a → b (because …) → a`. */
export function cycleText(cycle: readonly Edge[]): string {
  const steps = cycle.map(({ to, because }) => `${to} (${because})`);
  return [cycle[0]?.from ?? '', ...steps].join(' → ');
}
