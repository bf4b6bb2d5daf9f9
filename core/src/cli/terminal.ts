import type { AuditTools } from './audit-tools.js';
import type { OutputFormat } from './command.js';

/** Where a command writes; a real stream or a test's buffer. */
export interface Outlet {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** What a person types, or another program writes. */
export interface Input extends AsyncIterable<Uint8Array> {
  readonly isTTY?: boolean;
  /** Each key comes as it is, Ctrl-C too, instead of a line at a time. */
  setRawMode?(isRaw: boolean): unknown;
  /** Ends a read that waits. */
  destroy(): unknown;
}

/** Everything a command may know of its surroundings; nothing else reads the process. */
export interface Terminal {
  readonly arguments: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Outlet;
  readonly stderr: Outlet;
  /** Opened by those commands alone that read it. */
  input(): Input;
  /** Hears of each new size of the terminal until the signal aborts. */
  onResize(heard: () => void, signal: AbortSignal): void;
  nowMs(): number;
  /** Schemas of the configuration's sections that belong to the platform itself, such as `api`. */
  sections(): Promise<Readonly<Record<string, object>>>;
  /** What reads and verifies the files of an audit log. */
  audit(): Promise<AuditTools>;
  /** Runs the platform in this process until it is told to stop; answers the exit code. */
  startPlatform(options: UpOptions, terminal: Terminal): Promise<number>;
}

/** What `tappaas up` was asked for. */
export interface UpOptions {
  readonly configFile: string;
  /** Directory deployed once, at the first start; absent: nothing. */
  readonly firstDeployment?: string;
  /** The first administrator gets another token, in place of one that is lost. */
  readonly isTokenReplaced?: boolean;
  /** How to say where everything is once the platform is ready; for programs nothing else is printed. */
  readonly output: OutputFormat;
  readonly stdout: Outlet;
  readonly stderr: Outlet;
}
