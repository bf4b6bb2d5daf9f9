import type { AuditTools } from './audit-tools.js';
import type { OutputFormat } from './command.js';

/** The output of a command; a real stream, or a buffer in tests. */
export interface Outlet {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** The input of a command, typed or piped. */
export interface Input extends AsyncIterable<Uint8Array> {
  readonly isTTY?: boolean;
  /** Delivers each key immediately, including Ctrl-C, instead of whole lines. */
  setRawMode?(isRaw: boolean): unknown;
  /** Ends a pending read. */
  destroy(): unknown;
}

/** The environment of a command; no other code accesses the process. */
export interface Terminal {
  readonly arguments: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Outlet;
  readonly stderr: Outlet;
  /** Opens the input; called only by commands that read it. */
  input(): Input;
  /** Calls the listener for each new size of the terminal until the signal aborts. */
  onResize(listener: () => void, signal: AbortSignal): void;
  nowMs(): number;
  /** Loads the schemas of the configuration sections that belong to the platform itself, such as `api`. */
  sections(): Promise<Readonly<Record<string, object>>>;
  /** Loads the functions that read and verify the files of an audit log. */
  audit(): Promise<AuditTools>;
  /** Runs the platform in this process until it is stopped; returns the exit code. */
  startPlatform(options: UpOptions, terminal: Terminal): Promise<number>;
}

/** Options of `tappaas up`. */
export interface UpOptions {
  readonly configFile: string;
  /** Directory that is deployed once, at the first start; absent: none. */
  readonly firstDeployment?: string;
  /** Replaces the token of the first administrator, for one that is lost. */
  readonly isTokenReplaced?: boolean;
  /** How to print the addresses once the platform is ready; for programs nothing else is printed. */
  readonly output: OutputFormat;
  readonly stdout: Outlet;
  readonly stderr: Outlet;
}
