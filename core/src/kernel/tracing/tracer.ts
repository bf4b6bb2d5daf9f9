import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from '@tappaas/sdk';
import { traceParentText, type TraceParent } from './trace-parent.js';

/** How a piece of work ended, as its span tells it. */
export type SpanEnd = Pick<Span, 'name' | 'startMs' | 'endMs' | 'attributes' | 'error'>;

/** Work that is traced and goes on. */
export interface TraceSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** For what is asked of others on its behalf. */
  readonly traceParent: string;
  /** A part of it that begins; nothing once it has ended: what goes on then, such as a loop that it was the first to need, is no part of it. */
  child(): TraceSpan | undefined;
  end(end: SpanEnd): void;
}

/** Traces work and what plugins do for it, as long as somebody listens; nothing is made and nothing costs while nobody does. */
export interface Tracing {
  readonly isListened: boolean;
  /** Work that begins: in the trace of its parent, or in one of its own. */
  begin(parent?: Pick<TraceParent, 'traceId' | 'spanId'>): TraceSpan;
  /** Calls of plugins within `work`, and within everything that it starts, are parts of the span. */
  run<T>(span: TraceSpan, work: () => T): T;
}

const idPart = 2 ** 32;

/** The one tracer of a kernel. */
export class Tracer implements Tracing {
  readonly #random: () => number;
  readonly #running = new AsyncLocalStorage<TraceSpan>();
  #tell: ((span: Span) => void) | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * Tells every span that ends from now on; without anybody to tell, none is made. What a listener begins, such as a timer after which it sends
   * what it has gathered, is no part of the work that it was told of: its own calls would be spans to be sent in turn, without end.
   */
  listen(tell: ((span: Span) => void) | undefined): void {
    this.#tell = tell && ((span) => this.#running.exit(() => tell(span)));
  }

  get isListened(): boolean {
    return this.#tell !== undefined;
  }

  /** The work that the code which runs now belongs to. */
  get current(): TraceSpan | undefined {
    return this.#tell === undefined ? undefined : this.#running.getStore();
  }

  begin(parent?: Pick<TraceParent, 'traceId' | 'spanId'>): TraceSpan {
    const traceId = parent?.traceId ?? this.#id(4);
    const spanId = this.#id(2);
    let hasEnded = false;
    return {
      traceId,
      spanId,
      get traceParent() {
        return traceParentText({ traceId, spanId });
      },
      child: () => (hasEnded ? undefined : this.begin({ traceId, spanId })),
      end: (end) => {
        hasEnded = true;
        this.#tell?.({ traceId, spanId, ...(parent !== undefined && { parentSpanId: parent.spanId }), ...end });
      },
    };
  }

  run<T>(span: TraceSpan, work: () => T): T {
    return this.#running.run(span, work);
  }

  /** Hexadecimal, of so many parts of 32 bits; all zeros would be none. */
  #id(parts: number): string {
    let id = '';
    for (let part = 0; part < parts; part += 1) {
      id += Math.floor(this.#random() * idPart)
        .toString(16)
        .padStart(8, '0');
    }
    return /[^0]/.test(id) ? id : `${id.slice(1)}1`;
  }
}
