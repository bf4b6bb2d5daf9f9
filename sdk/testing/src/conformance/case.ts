/** One named promise of a family; for any runner: `for (const { title, run } of cases) test(title, run)`. */
export interface Case {
  readonly title: string;
  readonly run: () => Promise<void>;
}
