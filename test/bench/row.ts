/** One line of the benchmark table; `ratio` is this row's value to its peer's, measured in the same run. */
export interface BenchmarkRow {
  name: string;
  value: number;
  unit: string;
  peer?: string;
  ratio?: number;
  target?: string;
}
