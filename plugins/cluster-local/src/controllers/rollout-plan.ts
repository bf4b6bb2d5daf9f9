import type { Deployment, Immutable, ReplicaSet } from '@tappaas/sdk';

type ASet = Immutable<ReplicaSet>;
type Spec = NonNullable<Immutable<Deployment>['spec']>;

/** A replica set and its next number of replicas. */
export interface Resize {
  readonly set: ASet;
  readonly replicas: number;
}

/** How many pods may be in excess of the desired number, and how many may be unavailable, during a rollout. */
export function rolloutBounds(spec: Spec): { readonly surge: number; readonly unavailable: number } {
  const wished = spec.replicas ?? 1;
  if (spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: wished };
  const rolling = spec.strategy?.rollingUpdate;
  const surge = share(rolling?.maxSurge ?? '25%', wished, Math.ceil);
  const unavailable = Math.min(share(rolling?.maxUnavailable ?? '25%', wished, Math.floor), wished);
  // Both may round to 0, which would block every rollout, so one pod may be unavailable then.
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

function share(value: number | string, of: number, round: (value: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseFloat(value) / 100) * of);
}

const desiredOf = (set: ASet): number => set.spec?.replicas ?? 0;
const availableOf = (set: ASet): number => Math.min(set.status?.availableReplicas ?? 0, desiredOf(set));
const sum = (sets: readonly ASet[], of: (set: ASet) => number): number => sets.reduce((total, set) => total + of(set), 0);
const oldestFirst = (a: ASet, b: ASet) =>
  (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '')
    ? -1
    : a.metadata.creationTimestamp === b.metadata.creationTimestamp
      ? 0
      : 1;

/**
 * Annotation of each set: the deployment's number of replicas that the set was sized for, which reveals a change of that number during a
 * rollout.
 */
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';

/**
 * The next steps of a rollout: sets whose size, or the number of replicas they were sized for, changes. `current` is the set of the present
 * template.
 */
export function planRollout(spec: Spec, current: ASet | undefined, old: readonly ASet[]): readonly Resize[] {
  const sets = current ? [current, ...old] : old;
  const isStale = (set: ASet) => (set.metadata.annotations?.[desiredAnnotation] ?? '') !== String(spec.replicas ?? 1);
  const isChanged = ({ set, replicas }: Resize) => replicas !== desiredOf(set) || (desiredOf(set) > 0 && isStale(set));
  if (spec.paused || sets.some((set) => desiredOf(set) > 0 && isStale(set))) return planScale(spec, current, old).filter(isChanged);
  if (current === undefined) return [];
  return (spec.strategy?.type === 'Recreate' ? planRecreate(spec, current, old) : planRolling(spec, current, old)).filter(isChanged);
}

/** Applies a change of the number of replicas: to the only set in use, or during a rollout to all sets in proportion. */
function planScale(spec: Spec, current: ASet | undefined, old: readonly ASet[]): readonly Resize[] {
  const wished = spec.replicas ?? 1;
  const active = [...(current ? [current] : []), ...old].filter((set) => desiredOf(set) > 0);
  const only = active.length <= 1 ? (active[0] ?? current ?? old.toSorted(oldestFirst).at(-1)) : undefined;
  if (active.length <= 1) return only ? [{ set: only, replicas: wished }] : [];
  const isDone = current && desiredOf(current) === wished && availableOf(current) === wished;
  if (isDone) return active.map((set) => ({ set, replicas: set === current ? wished : 0 }));
  if (spec.strategy?.type === 'Recreate') return active.map((set) => ({ set, replicas: desiredOf(set) }));
  return proportional(spec, active);
}

/**
 * Distributes the difference between the allowed and the present total in proportion to size; the largest set takes the rounding
 * difference.
 */
function proportional(spec: Spec, active: readonly ASet[]): readonly Resize[] {
  const wished = spec.replicas ?? 1;
  const allowed = wished > 0 ? wished + rolloutBounds(spec).surge : 0;
  const total = sum(active, desiredOf);
  const toShare = allowed - total;
  const sorted = active.toSorted((a, b) => desiredOf(b) - desiredOf(a) || oldestFirst(a, b));
  let left = toShare;
  const resizes = sorted.map((set) => {
    const fair = Math.round((desiredOf(set) * allowed) / total) - desiredOf(set);
    const change = toShare > 0 ? Math.min(Math.max(fair, 0), left) : Math.max(Math.min(fair, 0), left);
    left -= change;
    return { set, replicas: desiredOf(set) + change };
  });
  const [largest, ...rest] = resizes;
  return largest ? [{ ...largest, replicas: Math.max(0, largest.replicas + left) }, ...rest] : [];
}

function planRecreate(spec: Spec, current: ASet, old: readonly ASet[]): readonly Resize[] {
  const down = old.filter((set) => desiredOf(set) > 0).map((set) => ({ set, replicas: 0 }));
  if (down.length > 0) return down;
  const isGone = old.every(({ status }) => (status?.replicas ?? 0) + (status?.terminatingReplicas ?? 0) === 0);
  const wished = spec.replicas ?? 1;
  return isGone && desiredOf(current) !== wished ? [{ set: current, replicas: wished }] : [];
}

function planRolling(spec: Spec, current: ASet, old: readonly ASet[]): readonly Resize[] {
  const wished = spec.replicas ?? 1;
  const { surge } = rolloutBounds(spec);
  if (desiredOf(current) > wished) return [{ set: current, replicas: wished }];
  const room = wished + surge - sum([current, ...old], desiredOf);
  const grown = Math.min(wished, desiredOf(current) + Math.max(0, room));
  const up = grown === desiredOf(current) ? [] : [{ set: current, replicas: grown }];
  return [...up, ...shrinkOld(spec, current, old)];
}

/**
 * Scales old sets down: first unavailable pods, as long as the total stays above the minimum; then available ones, as long as enough
 * remain.
 */
function shrinkOld(spec: Spec, current: ASet, old: readonly ASet[]): readonly Resize[] {
  const active = old.filter((set) => desiredOf(set) > 0).toSorted(oldestFirst);
  const minimum = (spec.replicas ?? 1) - rolloutBounds(spec).unavailable;
  const isSeen = (set: ASet) => (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0);
  const startingNew = desiredOf(current) - (isSeen(current) ? availableOf(current) : 0);
  let broken = Math.max(0, sum([current, ...active], desiredOf) - minimum - startingNew);
  const desired = new Map(active.map((set) => [set, desiredOf(set)]));
  for (const set of active) {
    if (!isSeen(set)) continue;
    const cut = Math.min(desiredOf(set) - availableOf(set), broken);
    desired.set(set, desiredOf(set) - cut);
    broken -= cut;
  }
  let spare = Math.max(0, sum([current, ...active], (set) => (isSeen(set) ? availableOf(set) : 0)) - minimum);
  for (const set of active) {
    const cut = Math.min(desired.get(set) ?? 0, spare, isSeen(set) ? availableOf(set) : 0);
    desired.set(set, (desired.get(set) ?? 0) - cut);
    spare -= cut;
  }
  return active.map((set) => ({ set, replicas: desired.get(set) ?? 0 })).filter(({ set, replicas }) => replicas !== desiredOf(set));
}
