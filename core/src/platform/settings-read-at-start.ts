import { isDeepStrictEqual } from 'node:util';
import type { Kernel } from '../kernel/kernel.js';

/** Sections of the configuration, and parts of one, that the platform reads when it starts, and no reload takes over. */
const readAtStart: readonly (readonly string[])[] = [['api'], ['audit', 'keyFile'], ['audit', 'checkpoints']];

/** Remembers the settings in force now; the function returned names those that the loaded configuration has changed since, by their paths. */
export function settingsReadAtStart(kernel: Pick<Kernel, 'config'>): () => readonly string[] {
  const read = () => readAtStart.map((path) => path.slice(1).reduce(valueAt, kernel.config.section(path[0] ?? '')));
  const inForce = read();
  return () => read().flatMap((now, index) => changedPaths(inForce[index], now, readAtStart[index] ?? []));
}

function changedPaths(before: unknown, now: unknown, path: readonly string[]): readonly string[] {
  if (isDeepStrictEqual(before, now)) return [];
  if (!isMap(before) || !isMap(now)) return [path.join('.')];
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].flatMap((name) => changedPaths(before[name], now[name], [...path, name]));
}

const valueAt = (value: unknown, name: string): unknown => (isMap(value) ? value[name] : undefined);

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
