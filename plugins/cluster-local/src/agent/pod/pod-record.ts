import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';
import type { Immutable, Pod } from '@tappaas/sdk';
import { readJson } from '../json-file.js';
import { remove } from '../removal.js';
import type { ContainerRecord } from './container-state.js';

/** The durable record of a pod, from which the next agent continues, even while the platform is unavailable. */
export interface PodRecord {
  readonly pod: Immutable<Pod>;
  readonly startedAtMs: number;
  readonly hostPorts: Readonly<Record<string, number>>;
  readonly containers: Readonly<Record<string, ContainerRecord>>;
}

const fileName = 'state.json';

/** Writes a pod's record; once this resolves it survives a crash. */
export async function saveRecord(directory: string, record: PodRecord): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await replaceFile(join(directory, fileName), JSON.stringify(record));
}

/** Reads the record in a pod's directory; undefined when it is missing or incomplete. */
export async function loadRecord(directory: string): Promise<PodRecord | undefined> {
  const record = await readJson<PodRecord>(join(directory, fileName));
  return record?.pod.metadata.uid === basename(directory) ? record : undefined;
}

/** Reads the records of all pods, by uid. A directory without a complete record never had a process, and is removed. */
export async function loadRecords(podsDirectory: string): Promise<ReadonlyMap<string, PodRecord>> {
  await mkdir(podsDirectory, { recursive: true, mode: 0o700 });
  const records = new Map<string, PodRecord>();
  for (const uid of await readdir(podsDirectory)) {
    const record = await loadRecord(join(podsDirectory, uid));
    if (record) records.set(uid, record);
    else await remove(join(podsDirectory, uid));
  }
  return records;
}
