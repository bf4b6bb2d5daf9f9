/** One named case of a conformance suite; for any test runner: `for (const { title, run } of cases) test(title, run)`. */
export interface Case {
  readonly title: string;
  readonly run: () => Promise<void>;
}
