import type { Client } from '@tappaas/client';
import type { Terminal } from './terminal.js';

/** How a command may print: for people, with more columns, or for programs. */
export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml';

/** An option of a command; every command also has `-o` and `--help`. */
export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly description: string;
  /** What stands for the value in help, such as `NAMESPACE`. */
  readonly value?: string;
}

/** What a command runs with. */
export interface Invocation {
  readonly terminal: Terminal;
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly output: OutputFormat;
  readonly namespace: string;
  /** Connects with the stored login, or fails with the command that logs in. */
  readonly client: () => Promise<Client>;
}

/** A command of the command line; its code is loaded only when it runs. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What follows the name in usage, such as `APPLICATION`. */
  readonly operands: string;
  readonly operandsMin: number;
  readonly operandsMax: number;
  readonly options: Readonly<Record<string, Option>>;
  load(): Promise<(invocation: Invocation) => Promise<number>>;
}

/** Exit codes, as in sysexits.h where it has one. */
export const exitCodes = { ok: 0, failed: 1, usage: 64, unavailable: 69, output: 74, configuration: 78 } as const;
