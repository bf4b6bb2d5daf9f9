import type { Caller } from '@tappaas/sdk';
import type { StreamPart } from '../request/exchange.js';
import type { Seat } from '../stages.js';
import { weigh } from '../weight.js';
import { FieldLoaders } from './field-loaders.js';
import { ObjectReader } from './object-reader.js';
import type { GraphqlParts } from './ports.js';
import type { RecordedAccess } from './recorded-access.js';
import { Workloads } from './workloads.js';

/** Cost and depth of one operation. */
export interface OperationCost {
  readonly cost: number;
  readonly depth: number;
}

/** Caller and lifetime of an operation: those of a request, or of a message on a socket. */
export interface OperationSource {
  readonly caller: Caller;
  readonly requestId: string;
  /** Aborts at the deadline, when the client disconnects, and at shutdown. */
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  /** Long-running parts whose access is checked again from time to time. */
  readonly parts?: Set<StreamPart>;
  /** The seat that the operation holds in flow control. */
  readonly seat?: Seat | undefined;
}

const nothing: OperationCost = { cost: 0, depth: 0 };

/**
 * The context of one operation, passed to its resolvers; it lives as long as the operation. Apollo Server copies it, so nothing of it is
 * `#private`.
 */
export class GraphqlContext {
  readonly parts: GraphqlParts;
  /** First word of the user agent: the default field manager of a write. */
  readonly client: string;
  /** The only access to objects. */
  readonly access: RecordedAccess;
  /** Set before anything is resolved. */
  cost = nothing;
  private readonly source: OperationSource;
  private ownReader: ObjectReader | undefined;
  private ownWorkloads: Workloads | undefined;
  private ownFields: FieldLoaders | undefined;

  constructor(parts: GraphqlParts, source: OperationSource, access: RecordedAccess, client: string) {
    this.parts = parts;
    this.access = access;
    this.client = client;
    this.source = source;
  }

  get caller(): Caller {
    return this.source.caller;
  }

  get requestId(): string {
    return this.source.requestId;
  }

  get signal(): AbortSignal {
    return this.source.signal;
  }

  /** Reports the number of keys in a written object to flow control. @throws TAP_FLOW_FULL */
  weigh(keys: number): Promise<void> | undefined {
    return weigh(this.source, { keys });
  }

  /** Registers a check that runs repeatedly while something streams; returns the function that unregisters it. */
  recheck(checkAccess: StreamPart['checkAccess']): () => void {
    const part = { checkAccess };
    this.source.parts?.add(part);
    return () => void this.source.parts?.delete(part);
  }

  readonly remainingMs = (): number => Math.max(0, this.source.deadlineMs - this.parts.clock.nowMs());

  /** Whether anything may have been read for the operation so far. */
  get hasRead(): boolean {
    return this.ownReader !== undefined || this.ownWorkloads !== undefined || this.ownFields !== undefined;
  }

  get reader(): ObjectReader {
    return (this.ownReader ??= new ObjectReader(this.parts, this));
  }

  get workloads(): Workloads {
    return (this.ownWorkloads ??= new Workloads(this));
  }

  get fields(): FieldLoaders {
    return (this.ownFields ??= new FieldLoaders(this));
  }
}
