import type { Caller } from '@tappaas/sdk';
import { flowErrors } from './errors.js';

/** How many requests and streams may run at once. */
export interface FlowLimits {
  readonly requestsMax: number;
  readonly requestsPerPrincipalMax: number;
  readonly streamsMax: number;
  readonly streamsPerPrincipalMax: number;
}

export const defaultFlowLimits: FlowLimits = {
  requestsMax: 4000,
  requestsPerPrincipalMax: 500,
  streamsMax: 10_000,
  streamsPerPrincipalMax: 1000,
};

/** A place among what is being served; giving it back twice counts once. */
export interface Seat {
  release(): void;
}

export interface FlowRequest {
  readonly caller: Caller;
  readonly stream: boolean;
}

const retryAfterMs = 1000;
/** Traffic of the platform's own processes: refusing it would stop what makes room again. */
const exempt = 'system:engine:';

/**
 * Seats per principal and in all, requests and streams apart. A principal is its tenant where it has one, so that a tenant does not
 * get more by having more users. Nothing waits here: who finds no seat is told when to come again.
 */
export function createFlow(limits: FlowLimits): (request: FlowRequest) => Seat {
  const requests = new Seats('requests', limits.requestsMax, limits.requestsPerPrincipalMax);
  const streams = new Seats('streams', limits.streamsMax, limits.streamsPerPrincipalMax);
  return ({ caller, stream }) => {
    if (caller.groups.some((group) => group.startsWith(exempt))) return free;
    const { tenant } = caller;
    return (stream ? streams : requests).take(tenant === undefined ? `user ${caller.name}` : `tenant ${tenant}`);
  };
}

const free: Seat = { release: () => {} };

class Seats {
  private readonly what: string;
  private readonly max: number;
  private readonly perPrincipalMax: number;
  private readonly taken = new Map<string, number>();
  private total = 0;

  constructor(what: string, max: number, perPrincipalMax: number) {
    this.what = what;
    this.max = max;
    this.perPrincipalMax = perPrincipalMax;
  }

  take(principal: string): Seat {
    const mine = this.taken.get(principal) ?? 0;
    if (mine >= this.perPrincipalMax)
      throw this.full(`${principal} has ${mine} ${this.what} running, at most ${this.perPrincipalMax} at a time`);
    if (this.total >= this.max) throw this.full(`${this.total} ${this.what} are running, at most ${this.max} at a time`);
    this.taken.set(principal, mine + 1);
    this.total += 1;
    let isTaken = true;
    return {
      release: () => {
        if (isTaken) this.give(principal);
        isTaken = false;
      },
    };
  }

  private give(principal: string): void {
    const mine = (this.taken.get(principal) ?? 1) - 1;
    this.total -= 1;
    if (mine === 0) this.taken.delete(principal);
    else this.taken.set(principal, mine);
  }

  private full(message: string): Error {
    return flowErrors.TAP_FLOW_FULL({ message, retryAfterMs });
  }
}
