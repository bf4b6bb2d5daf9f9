import { answersAtOnce } from '@tappaas/sdk';
import { CallContext, contextExtras, extendContext } from '../guard/call-context.js';
import { Guard, type GuardDevices } from '../guard/guard.js';
import { Failure } from '../guard/blame.js';
import type { PluginScope } from '../guard/plugin-scope.js';
import { serviceHasBreaker, serviceLimitMs } from './service-limits.js';

type Method = (...args: readonly unknown[]) => unknown;

/** A provided service behind its guard: data is passed through, methods run as the provider. */
export class GuardedService {
  /** The providing instance. */
  readonly provider: PluginScope;
  readonly value: object;
  readonly #service: string;
  readonly #devices: GuardDevices;
  readonly #methods = new Map<PropertyKey, { readonly of: Method; readonly guarded: Method }>();

  constructor(service: string, value: object, provider: PluginScope, devices: GuardDevices) {
    this.#service = service;
    this.value = value;
    this.provider = provider;
    this.#devices = devices;
  }

  read(key: PropertyKey): unknown {
    const member: unknown = Reflect.get(this.value, key, this.value);
    if (typeof member !== 'function') return member;
    const known = this.#methods.get(key);
    if (known !== undefined && known.of === member) return known.guarded;
    const guarded = this.#guard(String(key), member as Method);
    this.#methods.set(key, { of: member as Method, guarded });
    return guarded;
  }

  #guard(name: string, method: Method): Method {
    const options = { limitMs: serviceLimitMs(this.#service), breaker: serviceHasBreaker(this.#service), evenStopped: true };
    const guard = new Guard(this.provider, `${this.#service}.${name}`, options, this.#devices);
    const target = this.value;
    const run = (args: readonly unknown[], context: unknown): unknown =>
      Reflect.apply(method, target, ownContexts(args, context as CallContext));
    if (answersAtOnce(method)) return (...args) => callAtOnce(guard, run, args);
    let promises = method.constructor.name === 'AsyncFunction';
    return (...args) => {
      const ended = callNow(guard, run, args);
      if (ended instanceof Promise) {
        promises = true;
        return ended;
      }
      if (ended.failure === undefined) return ended.value;
      if (promises) return Promise.reject(ended.failure.error);
      throw ended.failure.error;
    };
  }
}

/** Calls through the guard without tracking asynchronous work, because the method is declared not to start any. */
function callAtOnce(guard: Guard, run: (args: readonly unknown[], context: unknown) => unknown, args: readonly unknown[]): unknown {
  const answer = guard.invokeSync(run, args, undefined);
  if (answer instanceof Failure) throw answer.error;
  return answer;
}

interface Ended {
  readonly failure: Failure | undefined;
  readonly value: unknown;
}

/** Calls through the guard; stays synchronous if the method is. */
function callNow(
  guard: Guard,
  run: (args: readonly unknown[], context: unknown) => unknown,
  args: readonly unknown[],
): Ended | Promise<unknown> {
  let ended: Ended | undefined;
  let settle: ((ended: Ended) => void) | undefined;
  guard.invoke(run, args, undefined, (failure, value) => {
    if (settle === undefined) ended = { failure, value };
    else settle({ failure, value });
  });
  if (ended !== undefined) return ended;
  return new Promise((resolve, reject) => {
    settle = ({ failure, value }) => {
      if (failure === undefined) resolve(value);
      else reject(failure.error);
    };
  });
}

/** Replaces the caller's context with the provider's own, so that the caller's rights never travel along; keeps fields added by a stage. */
function ownContexts(args: readonly unknown[], own: CallContext): readonly unknown[] {
  const index = args.findIndex((arg) => arg instanceof CallContext);
  if (index < 0) return args;
  const extras = contextExtras(args[index]) ?? {};
  return args.with(index, Object.keys(extras).length === 0 ? own : extendContext(own, extras));
}
