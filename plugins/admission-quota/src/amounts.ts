import { formatQuantity, parseQuantity, type Immutable } from '@tappaas/sdk';
import type { QuotaObject } from './contract.js';

/** Everything that is counted, in whole units: counts, millicores, bytes. */
export const names = [
  'namespaces',
  'applications',
  'builds',
  'configMaps',
  'secrets',
  'serviceAccounts',
  'roles',
  'roleBindings',
  'replicas',
  'cpu',
  'memory',
] as const;
export type Name = (typeof names)[number];
export type Amounts = Readonly<Partial<Record<Name, number>>>;

type Limits = Immutable<QuotaObject>['spec']['limits'];

const nanosOf: Readonly<Record<'cpu' | 'memory', bigint>> = { cpu: 1_000_000n, memory: 1_000_000_000n };
const countMax = BigInt(Number.MAX_SAFE_INTEGER);

/** Converts a quantity of cpu or memory to whole units, rounded up. */
export function unitsOf(name: 'cpu' | 'memory', quantity: string | undefined): number {
  const parsed = quantity === undefined ? undefined : parseQuantity(quantity);
  if (parsed === undefined) return 0;
  const units = (parsed.nanos + nanosOf[name] - 1n) / nanosOf[name];
  return Number(units > countMax ? countMax : units);
}

export function limitsOf(limits: Limits): Amounts {
  const found = names.flatMap((name): [Name, number][] => {
    const value = limits[name];
    if (value === undefined) return [];
    return [[name, typeof value === 'number' ? value : unitsOf(name === 'cpu' ? 'cpu' : 'memory', value)]];
  });
  return Object.fromEntries(found);
}

/** Formats an amount as in objects and messages. */
export function textOf(name: Name, units: number): string {
  if (name === 'cpu') return formatQuantity({ nanos: BigInt(units) * nanosOf.cpu, notation: 'decimal' });
  if (name === 'memory') return formatQuantity({ nanos: BigInt(units) * nanosOf.memory, notation: 'binary' });
  return String(units);
}

/** Formats amounts for the status. */
export function shown(amounts: Amounts): Limits {
  const entries = names.flatMap((name) => {
    const units = amounts[name];
    return units === undefined ? [] : [[name, name === 'cpu' || name === 'memory' ? textOf(name, units) : units]];
  });
  return Object.fromEntries(entries) as Limits;
}
