import type { Context } from '@tappaas/sdk';
import { Failure } from '../guard/blame.js';
import { CallContext } from '../guard/call-context.js';
import { Guard, type GuardDevices } from '../guard/guard.js';
import type { PluginScope } from '../guard/plugin-scope.js';
import type { Scope } from '../hooks/dispatch.js';
import type { CallPoint, PluginGuard } from '../registrations.js';

/** Guards the functions of one instance other than taps: controllers, routes, actions, tasks, start and stop. */
export class InstanceGuard implements PluginGuard {
  readonly plugin: string;
  readonly #owner: PluginScope;
  readonly #devices: GuardDevices;
  readonly #guards = new Map<string, Guard>();

  constructor(owner: PluginScope, devices: GuardDevices) {
    this.plugin = owner.id;
    this.#owner = owner;
    this.#devices = devices;
  }

  call<T>(point: CallPoint, run: (context: Context) => T | Promise<T>, scope?: Scope): Promise<T> {
    return this.#callWith(this.#guardOf(point, false), run, scope);
  }

  /** Calls a pure function, in whatever state the plugin is. */
  callSync<T>(point: CallPoint, run: (context: Context) => T): T {
    const guard = this.#guardOf(point, true);
    const answered = guard.invokeSync((_, context: Context) => run(context), undefined, new CallContext(this.#owner, undefined, Infinity));
    if (answered instanceof Failure) throw answered.error;
    return answered;
  }

  /** Calls a function during start or stop, while the plugin is not running. */
  callOutside<T>(point: CallPoint & { readonly survivesStop?: boolean }, run: (context: Context) => T | Promise<T>): Promise<T> {
    return this.#callWith(this.#guardOf(point, true, point.survivesStop), run, undefined);
  }

  #callWith<T>(guard: Guard, run: (context: Context) => T | Promise<T>, scope: Scope | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      guard.invoke<undefined, T>(
        (_, context) => run(context),
        undefined,
        scope,
        (failure, value) => {
          if (failure === undefined) resolve(value as T);
          else reject(failure.error);
        },
      );
    });
  }

  #guardOf({ name, limitMs = Infinity, breaker = false }: CallPoint, evenStopped: boolean, survivesStop = false): Guard {
    const known = this.#guards.get(name);
    if (known !== undefined) return known;
    const guard = new Guard(this.#owner, name, { limitMs, breaker, evenStopped, survivesStop }, this.#devices);
    this.#guards.set(name, guard);
    return guard;
  }
}
