import type { Clock, Context, Logger, Resources, State } from '@tappaas/sdk';
import type { Scope } from '../hooks/dispatch.js';
import type { TraceSpan } from '../tracing/tracer.js';
import type { PluginScope } from './plugin-scope.js';

const never = new AbortController().signal;

/**
 * The context of one call. Expensive parts are created on first access, because most handlers never use the signal. Its members are not
 * `#private`: an extended context inherits the getters, but would not have such fields.
 */
export class CallContext implements Context {
  /** Milliseconds since the epoch; `Infinity` without a limit. */
  dueAtMs: number;
  readonly owner: PluginScope;
  readonly scope: Scope | undefined;
  /** The original context, also for an extended one, whose own fields are only those that a stage added. */
  private readonly base: CallContext = this;
  private deadline: AbortController | undefined;
  private combined: AbortSignal | undefined;
  private ended: Error | undefined;

  private readonly survivesStop: boolean;
  private readonly span: TraceSpan | undefined;

  constructor(owner: PluginScope, scope: Scope | undefined, dueAtMs: number, survivesStop = false, span?: TraceSpan) {
    this.owner = owner;
    this.survivesStop = survivesStop;
    this.span = span;
    this.scope = scope;
    this.dueAtMs = dueAtMs;
  }

  get plugin(): string {
    return this.owner.id;
  }

  get log(): Logger {
    return this.owner.log;
  }

  get clock(): Clock {
    return this.owner.clock;
  }

  get state(): State {
    return this.owner.state;
  }

  get asPlugin(): Resources {
    return this.owner.asPlugin;
  }

  get traceparent(): string | undefined {
    return this.span?.traceParent;
  }

  get signal(): AbortSignal {
    return (this.base.combined ??= this.base.makeSignal());
  }

  remainingMs(): number {
    return Math.max(0, this.dueAtMs - this.owner.clock.nowMs());
  }

  /** Ends the call at its deadline, so that clients that obey the signal stop. */
  expire(reason: Error): void {
    this.ended = reason;
    this.deadline?.abort(reason);
  }

  private makeSignal(): AbortSignal {
    this.deadline = new AbortController();
    if (this.ended) this.deadline.abort(this.ended);
    return AbortSignal.any([this.deadline.signal, this.survivesStop ? never : this.owner.stopping, this.scope?.signal ?? never]);
  }
}

/** Returns the context extended with the fields that a stage adds for its handlers, such as `asCaller` or `setStatus`. */
export function extendContext<X extends object>(context: Context, extra: X): Context & X {
  return Object.assign(Object.create(context) as Context, extra);
}

/** Returns the fields that a stage added to a context of the kernel; undefined when `value` is not a context. */
export function contextExtras(value: unknown): object | undefined {
  if (!(value instanceof CallContext)) return undefined;
  return Object.getPrototypeOf(value) === CallContext.prototype ? {} : { ...(value as object) };
}
