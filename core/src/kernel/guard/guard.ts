import type { Context } from '@tappaas/sdk';
import { guardErrors } from '../errors.js';
import type { Scope } from '../hooks/dispatch.js';
import { Failure, failureOf, garbageOf } from './blame.js';
import { Breaker } from './breaker.js';
import { Call, type Done } from './call.js';
import { PointSeries, type GuardMetrics } from './guard-metrics.js';
import { enterFrame, leaveFrame, type Frame } from './identity.js';
import type { PluginScope } from './plugin-scope.js';
import type { Tracer } from '../tracing/tracer.js';
import type { TimerWheel } from './timer-wheel.js';

/** A synchronous call this long has blocked the event loop; the breaker counts it as a failure. */
const blockedMsMax = 250;

export interface GuardOptions {
  readonly limitMs: number;
  readonly breaker: boolean;
  /** For calls during start and stop, and for services, which end when they are no longer provided. */
  readonly evenStopped?: boolean;
  /** For `onStop` and `dispose`, whose signal must not be aborted by the stop of the plugin. */
  readonly survivesStop?: boolean;
  /** Returns what is wrong with a result; undefined if it is valid for the hook. */
  readonly check?: ((value: unknown, input: unknown) => string | undefined) | undefined;
  /** Whether a result is a denial, for the metric. */
  readonly denies?: ((value: unknown) => boolean) | undefined;
}

/** The parts that all guards of a kernel share. */
export interface GuardDevices {
  readonly wheel: TimerWheel;
  readonly metrics: GuardMetrics;
  readonly tracer: Tracer;
  readonly onBreaker: (plugin: string, hook: string, state: Breaker['state']) => void;
}

/**
 * Wraps every call of one plugin at one hook or point with identity, deadline, metrics, breaker, and validation of the result. The
 * dispatcher decides what a failure means for the caller (deny, ignore, retry).
 */
export class Guard implements Frame {
  readonly plugin: string;
  readonly point: string;
  readonly owner: PluginScope;
  readonly limitMs: number;
  readonly wheel: TimerWheel;
  readonly tracer: Tracer;
  readonly #series: PointSeries;
  readonly #breaker: Breaker | undefined;
  readonly survivesStop: boolean;
  readonly #evenStopped: boolean;
  readonly #check: GuardOptions['check'];
  readonly #denies: GuardOptions['denies'];
  readonly #monotonicMs: () => number;

  constructor(owner: PluginScope, point: string, options: GuardOptions, devices: GuardDevices) {
    this.owner = owner;
    this.plugin = owner.id;
    this.point = point;
    this.limitMs = options.limitMs;
    this.wheel = devices.wheel;
    this.tracer = devices.tracer;
    this.#series = new PointSeries(devices.metrics, owner.id, point);
    this.#breaker = options.breaker ? breakerOf(owner, point, devices) : undefined;
    this.survivesStop = options.survivesStop ?? false;
    this.#evenStopped = options.evenStopped ?? false;
    this.#check = options.check;
    this.#denies = options.denies;
    this.#monotonicMs = owner.monotonicMs;
  }

  /** Calls `run`, which may return a value or a promise; `done` is called exactly once and must not throw. */
  invoke<I, T>(run: (input: I, context: Context) => T | PromiseLike<T>, input: I, scope: Scope | undefined, done: Done<T>): void {
    const refused = this.#refusal(scope, true);
    if (refused) done(refused, undefined);
    else new Call<T>(this, scope, done).begin(run, input);
  }

  /** Calls `run`, which must return synchronously. */
  invokeSync<I, C, T>(run: (input: I, context: C) => T, input: I, context: C, scope?: Scope): T | Failure {
    const refused = this.#refusal(scope, false);
    if (refused) return refused;
    const startMs = this.#monotonicMs();
    const outer = enterFrame(this);
    let value: T;
    try {
      value = run(input, context);
    } catch (thrown) {
      return this.fail(failureOf(thrown, this.plugin, this.point), startMs, scope);
    } finally {
      leaveFrame(outer);
    }
    if (typeof value === 'object' && value !== null && isThenable(value)) {
      value.then(undefined, () => {});
      return this.fail(garbageOf(this.plugin, this.point, 'a promise, and it is asked synchronously'), startMs);
    }
    const tookMs = this.#monotonicMs() - startMs;
    return tookMs <= this.limitMs ? this.finish(value, input, tookMs, scope) : this.#overran(value, input, tookMs);
  }

  /** Records that a synchronous call took too long. It could not be interrupted, so its result counts. */
  #overran<T>(value: T, input: unknown, tookMs: number): T | Failure {
    const wrong = this.#check?.(value, input);
    if (wrong !== undefined) return this.#failed(garbageOf(this.plugin, this.point, wrong), tookMs);
    this.#series.record('timeout', tookMs);
    if (tookMs > blockedMsMax) this.#breaker?.failed();
    else this.#breaker?.succeeded();
    return value;
  }

  /** Validates and records a result that arrived in time; for asynchronous calls the timer wheel has ensured that. */
  finish<T>(value: T, input: unknown, tookMs: number, scope?: Scope): T | Failure {
    const wrong = this.#check?.(value, input);
    if (wrong !== undefined) return this.#failed(garbageOf(this.plugin, this.point, wrong), tookMs, scope);
    if (this.#denies !== undefined && value !== undefined && this.#denies(value)) this.#series.record('denied', tookMs);
    else this.#series.ok.observe(tookMs / 1000);
    if (this.#breaker !== undefined && this.#breaker.state !== 'closed') this.#breaker.succeeded();
    return value;
  }

  fail(failure: Failure, startMs: number, scope?: Scope): Failure {
    return this.#failed(failure, this.#monotonicMs() - startMs, scope);
  }

  #failed(failure: Failure, tookMs: number, scope?: Scope): Failure {
    this.#series.record(failure.outcome, tookMs);
    if (failure.ownBlame) this.#breaker?.failed(scope?.tenant);
    else this.#breaker?.succeeded();
    return failure;
  }

  nowMs(): number {
    return this.#monotonicMs();
  }

  /** `inherits`: whether a call without a scope has that of the call that makes it, whose tenant its failure counts for. */
  #refusal(scope: Scope | undefined, inherits: boolean): Failure | undefined {
    if (!this.owner.running && !this.#evenStopped) {
      this.#series.skip('not-running');
      return this.#notMade('TAP_PLUGIN_NOT_RUNNING', `plugin ${this.plugin} is not running, so ${this.point} cannot be asked`);
    }
    if (this.#breaker === undefined || this.#breaker.state === 'closed') return undefined;
    if (this.#breaker.admits((scope ?? (inherits ? Call.runningScope() : undefined))?.tenant)) return undefined;
    this.#series.skip('breaker');
    return this.#notMade('TAP_PLUGIN_CIRCUIT_OPEN', `plugin ${this.plugin} failed repeatedly in ${this.point} and is skipped for a while`);
  }

  #notMade(code: 'TAP_PLUGIN_NOT_RUNNING' | 'TAP_PLUGIN_CIRCUIT_OPEN', message: string): Failure {
    const error = guardErrors[code]({ message });
    error.plugin = this.plugin;
    return new Failure(error, 'error', false);
  }
}

export function isThenable(value: object): value is PromiseLike<unknown> {
  return 'then' in value && typeof value.then === 'function';
}

function breakerOf(owner: PluginScope, point: string, devices: GuardDevices): Breaker {
  const known = owner.breakers.get(point);
  if (known !== undefined) return known;
  const breaker = new Breaker(owner.clock, (state) => devices.onBreaker(owner.id, point, state));
  owner.breakers.set(point, breaker);
  return breaker;
}
