import { managerKey, secondsOf, type Manager, type Managers } from './managed-fields.js';
import { union } from './path-set.js';

/** Maximum number of updaters with entries of their own; appliers always keep theirs. */
export const updatersMax = 10;
const bucketName = 'ancient-changes';

/** Merges the oldest updaters of each version until at most {@link updatersMax} remain. */
export function capUpdaters(managers: Managers): Managers {
  const updaters = [...managers].filter(([, manager]) => manager.operation === 'Update').sort(oldestFirst);
  if (updaters.length <= updatersMax) return managers;
  const capped = new Map(managers);
  const firstOfVersion = new Map<string, string>();
  let count = updaters.length;
  for (const [key, manager] of updaters) {
    if (count <= updatersMax) break;
    const first = firstOfVersion.get(manager.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(manager.apiVersion, key);
      continue;
    }
    mergeIntoBucket(capped, first, key, manager);
    count--;
  }
  return capped;
}

function oldestFirst([leftKey, left]: readonly [string, Manager], [rightKey, right]: readonly [string, Manager]): number {
  return secondsOf(left) - secondsOf(right) || (leftKey < rightKey ? -1 : 1);
}

/** Merges an updater into the bucket, which starts as the oldest updater of its version and carries the time of its latest change. */
function mergeIntoBucket(managers: Map<string, Manager>, first: string, key: string, manager: Manager): void {
  const identity = { name: bucketName, operation: 'Update', apiVersion: manager.apiVersion, subresource: undefined } as const;
  const bucketKey = managerKey(identity);
  if (key === bucketKey) return;
  const bucket = managers.get(bucketKey) ?? managers.get(first) ?? manager;
  if (!managers.has(bucketKey)) managers.delete(first);
  managers.delete(key);
  managers.set(bucketKey, { ...identity, time: manager.time, fields: union(bucket.fields, manager.fields) });
}
