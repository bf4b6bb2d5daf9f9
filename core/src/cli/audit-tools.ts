/** An event of the audit log, with the members that commands use. */
export interface AuditItem {
  readonly chain: string;
  readonly sequence: number;
  readonly event: {
    readonly auditID: string;
    readonly stage: string;
    readonly verb: string;
    readonly requestURI: string;
    readonly user?: { readonly username?: string };
    readonly impersonatedUser?: { readonly username?: string };
    readonly sourceIPs?: readonly string[];
    readonly objectRef?: { readonly resource?: string; readonly namespace?: string; readonly name?: string; readonly subresource?: string };
    readonly responseStatus?: { readonly code?: number };
    readonly stageTimestamp: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** The result of verifying a chain. */
export interface AuditVerdict {
  readonly lines: number;
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly vouchedTo: number;
  readonly bad?: { readonly sequence: number; readonly message: string };
  readonly notes: readonly string[];
}

/** Reads and verifies the files of an audit log without a platform. */
export interface AuditTools {
  chainsIn(directory: string): Promise<readonly string[]>;
  linesIn(directory: string, chain: string): AsyncIterable<string>;
  readCheckpointDirectory(directory: string): Promise<{ readonly texts: readonly string[]; readonly keys: readonly string[] }>;
  verifyChain(
    chain: string,
    input: { readonly lines: AsyncIterable<string>; readonly checkpoints: readonly string[]; readonly keys: readonly string[] },
  ): Promise<AuditVerdict>;
  /** @throws an error that names the parameter at fault */
  auditQuery(parameters: Readonly<Record<string, string>>): { readonly query: object; readonly range: { readonly limit: number } };
  /** Returns the event of a line if it matches the query. */
  foundIn(text: string, query: object): AuditItem | undefined;
}
