import type { RetryOn } from '@tappaas/sdk';

/** Why a class of pods may not go to a node. */
export interface Reason {
  /** Instance id of the plugin, or `kernel.…` for a built-in check. */
  readonly plugin: string;
  readonly message: string;
  readonly retryOn: readonly RetryOn[];
  /** Depends on the node alone, so pods that come or go cannot change it. */
  readonly fromNode: boolean;
}

/** The node does not exist, or no longer. */
export const absent = 0;
/** The node accepts the pod. */
export const feasible = 1;

/** Reasons of one class, numbered from above {@link feasible}. */
export class ReasonTable {
  /** Entry n is the reason with number n; the first entries are unused, because a lookup below the start of an array is slow. */
  readonly #reasons: (Reason | undefined)[] = [undefined, undefined];
  readonly #codes = new Map<string, number>();
  readonly #reasonsMax: number;

  constructor(reasonsMax: number) {
    this.#reasonsMax = reasonsMax;
  }

  /** Returns the number of a reason. Beyond `reasonsMax` distinct messages, a generic one replaces further messages of the plugin. */
  code(reason: Reason): number {
    const full = this.#reasons.length > this.#reasonsMax + feasible;
    return this.#known(reason) ?? (full ? this.#add({ ...reason, message: 'the node was refused' }) : this.#add(reason));
  }

  get(code: number): Reason | undefined {
    return this.#reasons[code];
  }

  #known({ plugin, message }: Reason): number | undefined {
    return this.#codes.get(`${plugin}\n${message}`);
  }

  #add(reason: Reason): number {
    const known = this.#known(reason);
    if (known !== undefined) return known;
    const code = this.#reasons.push(reason) - 1;
    this.#codes.set(`${reason.plugin}\n${reason.message}`, code);
    return code;
  }
}
