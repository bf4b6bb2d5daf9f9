import { objectErrors } from '@tappaas/sdk';
import type { RequestedAccess } from '../audit-entry.js';
import { valueAt, type ObjectBody } from '../object-reader.js';
import { pods } from './pod-log.js';

/** A line of output of one of an application's pods. */
export interface LogLine {
  readonly pod: string;
  readonly process: string | undefined;
  /** As the cluster reports it; absent when the cluster reports none. */
  readonly time: string | undefined;
  readonly text: string;
  /** Makes the cursor to continue after this line. */
  readonly cursor?: () => string;
}

export interface LogQuery {
  readonly process?: string | null;
  readonly tail: number;
  readonly since?: string | null;
}

/** Returns the access that reading an application's output requires. */
export function logAccess({ metadata: { namespace = '' } }: ObjectBody): RequestedAccess {
  return { verb: 'get', target: { kind: pods, namespace, subresource: 'log' } };
}

/** Rejects an unknown process: an empty answer would look like a process that writes nothing. @throws TAP_OBJECT_NOT_FOUND */
export function refuseUnknownProcess(process: string, application: ObjectBody): void {
  const processes = ((valueAt(application, ['spec', 'processes']) ?? []) as readonly { readonly name: string }[]).map(({ name }) => name);
  if (processes.includes(process)) return;
  const message = `applications "${application.metadata.name}" has no process "${process}"; it has ${processes.join(', ') || 'none'}`;
  throw objectErrors.TAP_OBJECT_NOT_FOUND({ message });
}
