import {
  formatQuantity,
  type Change,
  type ClaimChange,
  type ClaimUnit,
  type Guard,
  type KeyValue,
  type TransactionResult,
} from '@tappaas/sdk';
import type { Cause } from '../ports/engine.js';
import type { PluginClaim } from '../ports/admission.js';
import type { EngineState } from './engine-state.js';
import { explained, resourceErrors } from './errors.js';
import { textOf } from './object-text.js';
import type { KindEntry } from './kind-entry.js';
import { toStore, type Body, type HeldClaim, type Sealer, type Side } from './stored-object.js';
import { label } from './target.js';

/** Replaces one state of an object with another, with all conditions and changes of the same transaction. */
export interface Step {
  readonly entry: KindEntry;
  readonly key: string;
  /** Undefined: the object must not exist. */
  readonly previous: { readonly object: Body; readonly revision: number; readonly side: Side } | undefined;
  /** Undefined: the object is removed. */
  readonly next: { readonly object: Body; readonly side: Side } | undefined;
  readonly claims: readonly PluginClaim[];
  readonly guards: readonly Guard[];
  readonly changes: readonly Change[];
}

/** The result of a step: `stale` has the current state, `refused` the further guard that failed. */
export type StepResult =
  | { readonly outcome: 'done'; readonly revision: number }
  | { readonly outcome: 'stale'; readonly current: KeyValue | undefined }
  | { readonly outcome: 'refused'; readonly guard: number; readonly current: KeyValue | undefined };

/** Writes a step. @throws TAP_OBJECT_DENIED when a claim is refused */
export async function takeStep(state: EngineState, step: Step): Promise<StepResult> {
  const { entry, key, previous, next } = step;
  const claims = claimChanges(state, step);
  const change: Change = next ? await putOf(state, entry, key, next) : { delete: key };
  const result = await state.store.transact({
    guards: [{ key, modRevision: previous?.revision ?? 0 }, ...step.guards],
    claims: claims.map(({ change }) => change),
    changes: [change, ...step.changes],
  });
  if (result.ok) return { outcome: 'done', revision: result.revision };
  if ('failedClaim' in result) throw claimed(step, claims[result.failedClaim]?.claim, result);
  if (result.failedGuard === 0) return { outcome: 'stale', current: result.current };
  return { outcome: 'refused', guard: result.failedGuard - 1, current: result.current };
}

async function putOf(
  { sealer, leases, handoff }: EngineState,
  entry: KindEntry,
  key: string,
  next: NonNullable<Step['next']>,
): Promise<Change> {
  const text = textOf(next.object);
  const plain = toStore(text, next.side);
  const value = entry.isConfidential ? await sealed(sealer, plain, { key, uid: next.object.metadata.uid }) : plain;
  handoff.offer(key, value, { ...next, text });
  const { ttlMs } = entry.strategy;
  return ttlMs === undefined ? { put: key, value } : { put: key, value, lease: await leases.lease(ttlMs) };
}

async function sealed(
  sealer: Sealer | undefined,
  plain: Uint8Array,
  binding: { readonly key: string; readonly uid: string },
): Promise<Uint8Array> {
  if (sealer) return sealer.seal(plain, binding);
  throw resourceErrors.TAP_OBJECT_UNSEALED({ message: 'the engine has no key to seal what is confidential, so it stores nothing of it' });
}

/**
 * Returns the claims that an object holds once granted. They are stored with it, so that they can be released even if the plugin has
 * changed.
 */
export function heldOf(claims: readonly PluginClaim[]): readonly HeldClaim[] {
  return claims.map((claim) => ('unique' in claim ? { unique: claim.unique } : { counter: claim.counter, amount: claim.amount }));
}

interface PendingClaim {
  readonly change: ClaimChange;
  /** Undefined for a release, which cannot fail. */
  readonly claim: PluginClaim | undefined;
}

function claimChanges({ keys }: Pick<EngineState, 'keys'>, step: Step): readonly PendingClaim[] {
  const held = step.previous?.side.claims ?? [];
  const kept = step.next ? step.next.side.claims : [];
  const uid = (step.next ?? step.previous)?.object.metadata.uid ?? '';
  const holder = `${step.key}#${uid}`;
  const wanted = new Map(step.claims.map((claim) => ['unique' in claim ? `u/${claim.unique}` : `c/${claim.counter}`, claim]));
  const before = new Set(uniques(held));
  const after = new Set(uniques(kept));
  const released = [...before].filter((name) => !after.has(name));
  const taken = [...after].filter((name) => !before.has(name));
  return [
    ...released.map((name) => ({ change: { release: keys.claim(name), holder }, claim: undefined })),
    ...taken.map((name) => ({ change: { unique: keys.claim(name), holder }, claim: wanted.get(`u/${name}`) })),
    ...counterChanges(held, kept).map(([name, amount]) => {
      const claim = wanted.get(`c/${name}`);
      const max = claim && 'max' in claim && amount > 0 ? { max: claim.max } : {};
      return { change: { counter: keys.claim(name), amount, ...max }, claim };
    }),
  ];
}

const uniques = (claims: readonly HeldClaim[]): readonly string[] => claims.flatMap((claim) => ('unique' in claim ? [claim.unique] : []));

function counterChanges(held: readonly HeldClaim[], kept: readonly HeldClaim[]): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  const add = (claims: readonly HeldClaim[], sign: 1 | -1): void => {
    for (const claim of claims) if ('counter' in claim) sums.set(claim.counter, (sums.get(claim.counter) ?? 0) + sign * claim.amount);
  };
  add(held, -1);
  add(kept, 1);
  return [...sums].filter(([, amount]) => amount !== 0);
}

/** Appends the current usage, which only the refusing store knows. */
function withSum(message: string, claim: PluginClaim, { sum }: FailedClaim): string {
  if (sum === undefined) return message;
  const unit = 'counter' in claim ? (claim.unit ?? 'count') : 'count';
  return `${message} (${amountText[unit](sum)} in use)`;
}

const amountText: Readonly<Record<ClaimUnit, (sum: number) => string>> = {
  count: (sum) => `${sum} ${sum === 1 ? 'is' : 'are'}`,
  cpuMillis: (sum) => `${formatQuantity({ nanos: BigInt(sum) * 1_000_000n, notation: 'decimal' })} is`,
  memoryBytes: (sum) => `${formatQuantity({ nanos: BigInt(sum) * 1_000_000_000n, notation: 'binary' })} is`,
};

type FailedClaim = Extract<TransactionResult, { readonly failedClaim: number }>;

function claimed(step: Step, claim: PluginClaim | undefined, result: FailedClaim): Error {
  const { entry } = step;
  const name = (step.next ?? step.previous)?.object.metadata.name ?? '';
  const cause: Cause = claim
    ? { ...claim.denial, message: withSum(claim.denial.message, claim, result), plugin: claim.plugin }
    : { field: '', reason: 'Claimed', message: `a claim cannot be had; found ${result.holder ?? result.sum ?? 'another holder'}` };
  const message = `${label(entry, name)} is denied: ${cause.field}: ${cause.message}`;
  return explained(resourceErrors.TAP_OBJECT_DENIED({ message, field: cause.field }), { group: entry.group, kind: entry.kind, name }, [
    cause,
  ]);
}
