/** Where a value was written; line and column are 1-based. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A fault in a configuration, a manifest or the graph of plugins, found before any plugin code runs. */
export interface Problem {
  /** Permanent, `TAP_<NOUN>_<WHAT>`. */
  readonly code: string;
  /** A `note` does not prevent a start; it points out something without effect. */
  readonly severity: 'error' | 'note';
  readonly at?: Position;
  /** Path of the value, such as `plugins.cost-guard.config.monthlyBudgetEuro`. */
  readonly path: string;
  /** What is wrong, with expected and found values; starts in lower case. */
  readonly message: string;
  /** An imperative sentence. */
  readonly remedy?: string;
}

/** Formats a problem: `tappaas.yaml:12:15  TAP_CONFIG_UNKNOWN_KEY  plugins.cost-guard.config.x: unknown key; did you mean "y"?` */
export function formatProblem(problem: Problem): string {
  const { at, code, path, message } = problem;
  const where = at === undefined ? '' : `${at.file}:${at.line}:${at.column}  `;
  return `${where}${code}  ${path === '' ? '' : `${path}: `}${message}`;
}

/** Sorts problems by file and position, then by path. */
export function sortedProblems(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted(
    (a, b) =>
      compare(a.at?.file ?? '', b.at?.file ?? '') ||
      (a.at?.line ?? 0) - (b.at?.line ?? 0) ||
      (a.at?.column ?? 0) - (b.at?.column ?? 0) ||
      compare(a.path, b.path),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
