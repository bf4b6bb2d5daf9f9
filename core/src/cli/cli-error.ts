/** A failure that the user can act on: what went wrong, and what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly remedy: string;
  readonly exitCode: number;

  constructor(message: string, options: { readonly remedy: string; readonly exitCode: number; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.remedy = options.remedy;
    this.exitCode = options.exitCode;
  }
}
