/** What a run of ava has printed, as far as its end is to tell it again: who reads only the last lines of a long run learns what failed. */
import { sep } from 'node:path';

const failuresMax = 20;
const linesOfFailureMax = 50;
const outputLinesMax = 10;
const resultsOfFileMax = 50;

/** Ends the diagnostics of a test in TAP. */
const endOfDetails = '  ...';

export class RunRecord {
  readonly #results: string[] = [];
  readonly #failures: string[][] = [];
  /** What the tests have printed since the last result. */
  #output: string[] = [];
  #open: string[] | undefined;

  get passed(): number {
    return this.#results.filter((line) => line.startsWith('ok') && !isSkipped(line)).length;
  }

  get skipped(): number {
    return this.#results.filter(isSkipped).length;
  }

  get failed(): number {
    return this.#results.filter((line) => line.startsWith('not ok')).length;
  }

  /** A line of ava's report. */
  report(line: string): void {
    const result = /^(not )?ok \d+/.exec(line);
    if (result !== null) {
      this.#results.push(line);
      this.#open = result[1] === undefined ? undefined : [line, ...this.#output.map((each) => `# ${each}`)];
      if (this.#open !== undefined) this.#failures.push(this.#open);
      this.#output = [];
      return;
    }
    this.#open?.push(line);
    if (line === endOfDetails) this.#open = undefined;
  }

  /** A line that a test has printed, or something that a test has begun. */
  output(line: string): void {
    this.#output = [...this.#output, line].slice(-outputLinesMax);
  }

  /** The first failed tests with their diagnostics and what was printed just before, indented, so that nobody counts them twice. */
  failures(): readonly string[] {
    const shown = this.#failures.slice(0, failuresMax).flatMap((lines) => shortened(lines, linesOfFailureMax, 'lines'));
    return shown.map((line) => `  ${line}`);
  }

  /** For who sees even less. */
  failedTitles(): readonly string[] {
    const titles = this.#failures.map(([line = '']) => titleOf(line));
    return shortened(titles, failuresMax, 'tests').map((line) => `  ${line}`);
  }

  skippedTitles(): readonly string[] {
    const titles = this.#results.filter(isSkipped).map((line) => titleOf(line).replace(skipMark, ''));
    return shortened(titles, failuresMax, 'tests').map((line) => `  ${line}`);
  }

  /** The results of the tests of a file. `isOnly` when the run has no other: then ava leaves the file out of the titles. */
  resultsOf(file: string, isOnly: boolean): readonly string[] {
    const parts = file.replace(/\.test\.\w+$/, '').split(sep);
    // What the files of the run have in common is left out at the beginning of a title.
    const beginnings = parts.map((_, index) => `${parts.slice(index).join(' › ')} › `);
    const ofBeginning = (beginning: string) => this.#results.filter((line) => titleOf(line).startsWith(beginning));
    const found = isOnly ? this.#results : beginnings.map(ofBeginning).find((lines) => lines.length > 0);
    return shortened(found ?? [], resultsOfFileMax, 'tests').map((line) => `  ${line}`);
  }
}

/** How TAP marks a test that was not run; ava reports it as `ok`. */
const skipMark = / # SKIP$/;
const isSkipped = (line: string): boolean => skipMark.test(line);
const titleOf = (line: string): string => line.replace(/^(not )?ok \d+ - /, '');

function shortened(lines: readonly string[], linesMax: number, what: string): readonly string[] {
  return lines.length <= linesMax ? lines : [...lines.slice(0, linesMax), `… and ${lines.length - linesMax} more ${what}`];
}
