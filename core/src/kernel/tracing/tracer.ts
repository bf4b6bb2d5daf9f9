import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from '@tappaas/sdk';
import { traceParentText, type TraceParent } from './trace-parent.js';

/** The end of a span. */
export type SpanEnd = Pick<Span, 'name' | 'startMs' | 'endMs' | 'attributes' | 'error'>;

/** A span in progress. */
export interface TraceSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Header for requests made on its behalf. */
  readonly traceParent: string;
  /** Starts a child span. Returns undefined once this span has ended: later work, such as a loop that it started, is not part of it. */
  child(): TraceSpan | undefined;
  end(end: SpanEnd): void;
}

/** Traces work and the plugin calls in it while there is a listener; otherwise nothing is created and there is no cost. */
export interface Tracing {
  readonly isListened: boolean;
  /** Starts a span: in the trace of its parent, or in a new one. */
  begin(parent?: Pick<TraceParent, 'traceId' | 'spanId'>): TraceSpan;
  /** Runs `work`: calls of plugins within it, and within everything it starts, become children of the span. */
  run<T>(span: TraceSpan, work: () => T): T;
}

const idPart = 2 ** 32;

/** The tracer of a kernel. */
export class Tracer implements Tracing {
  readonly #random: () => number;
  readonly #running = new AsyncLocalStorage<TraceSpan>();
  #listener: ((span: Span) => void) | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * Sets the listener for every span that ends; without a listener no spans are made. Work started by the listener, such as a timer that
   * sends collected spans, is not part of the reported trace; otherwise its own calls would create spans to send, endlessly.
   */
  listen(listener: ((span: Span) => void) | undefined): void {
    this.#listener = listener && ((span) => this.#running.exit(() => listener(span)));
  }

  get isListened(): boolean {
    return this.#listener !== undefined;
  }

  /** The span of the running code. */
  get current(): TraceSpan | undefined {
    return this.#listener === undefined ? undefined : this.#running.getStore();
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
        this.#listener?.({ traceId, spanId, ...(parent !== undefined && { parentSpanId: parent.spanId }), ...end });
      },
    };
  }

  run<T>(span: TraceSpan, work: () => T): T {
    return this.#running.run(span, work);
  }

  /** Makes a hexadecimal id of `parts` times 32 bits; an id of all zeros would be invalid. */
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
