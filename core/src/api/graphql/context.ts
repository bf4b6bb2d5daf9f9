import type { Caller } from '@tappaas/sdk';
import type { StreamPart } from '../request/exchange.js';
import type { Seat } from '../stages.js';
import { weigh } from '../weight.js';
import { FieldLoaders } from './field-loaders.js';
import { ObjectReader } from './object-reader.js';
import type { GraphqlParts } from './ports.js';
import type { RecordedAccess } from './recorded-access.js';
import { Workloads } from './workloads.js';

/** What one operation costs, and how many levels it has. */
export interface OperationCost {
  readonly cost: number;
  readonly depth: number;
}

/** The source of an operation, its caller and lifetime: a request, or a message of a socket. */
export interface OperationSource {
  readonly caller: Caller;
  readonly requestId: string;
  /** Aborts at the deadline, when the client goes away and at stop. */
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  /** Where what goes on for long is looked at again. */
  readonly parts?: Set<StreamPart>;
  /** Its place with flow control. */
  readonly seat?: Seat | undefined;
}

const nothing: OperationCost = { cost: 0, depth: 0 };

/**
 * The circumstances of one operation; resolvers are given it. It lives as long as the operation. Apollo Server copies it, so nothing of it
 * is `#private`.
 */
export class GraphqlContext {
  readonly parts: GraphqlParts;
  /** First word of the user agent: who a write is ascribed to where the input does not say. */
  readonly client: string;
  /** The only way to objects. */
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

  /** Tells flow control how many keys an object has that is written. @throws TAP_FLOW_FULL */
  weigh(keys: number): Promise<void> | undefined {
    return weigh(this.source, { keys });
  }

  /** Has access asked again about something that goes on, until what is answered is called. */
  recheck(checkAccess: StreamPart['checkAccess']): () => void {
    const part = { checkAccess };
    this.source.parts?.add(part);
    return () => void this.source.parts?.delete(part);
  }

  readonly remainingMs = (): number => Math.max(0, this.source.deadlineMs - this.parts.clock.nowMs());

  /** Whether anything may have been read for it so far. */
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
