import type { Client } from '@tappaas/client';
import type { Terminal } from './terminal.js';

/** Output formats: for people, with more columns, or for programs. */
export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml';

/** An option of a command; every command also has `-o` and `--help`. */
export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly description: string;
  /** Placeholder for the value in help, such as `NAMESPACE`. */
  readonly value?: string;
}

/** The context in which a command runs. */
export interface Invocation {
  readonly terminal: Terminal;
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly output: OutputFormat;
  readonly namespace: string;
  /** Connects with the stored login; fails with a hint to log in. */
  readonly client: () => Promise<Client>;
  /** Writes a line to standard error, once however often it is given. */
  readonly remark: (line: string) => void;
}

/** A command of the command line; its code is loaded when it runs. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Placeholder for the operands in usage, such as `APPLICATION`. */
  readonly operands: string;
  readonly operandsMin: number;
  readonly operandsMax: number;
  readonly options: Readonly<Record<string, Option>>;
  load(): Promise<(invocation: Invocation) => Promise<number>>;
}

/** Exit codes, from sysexits.h where it defines one. */
export const exitCodes = { ok: 0, failed: 1, usage: 64, unavailable: 69, output: 74, configuration: 78 } as const;
