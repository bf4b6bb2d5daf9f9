/* Shared by the watchdog and its thread. It has no imports, so that the thread loads nothing else. */

/** Slots of the shared memory: a beat that increases while the event loop turns, a request to end, and its confirmation. */
export const beatSlot = 0;
export const endSlot = 1;
export const endedSlot = 2;

/** Name of the global function through which the thread determines whose code is running. */
export const frameProbe = 'tappaas.dev/running-frame';

/** Message of the thread once it is attached. */
export const looks = 'looks';

/** A block that the thread observed. */
export interface Blocked {
  readonly plugin: string | undefined;
  readonly point: string | undefined;
  readonly blockedMs: number;
  /** The stack of the blocking code, innermost call first. */
  readonly stack: string;
}
