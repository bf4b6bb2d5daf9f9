/* What the watchdog and its thread share. It imports nothing: the thread loads this and no more. */

/** How the thread and the process speak: a beat that rises while the event loop turns, and a request to end. */
export const beatSlot = 0;
export const endSlot = 1;
export const endedSlot = 2;

/** Where the thread finds out, from outside, whose code is running. */
export const frameProbe = 'tappaas.dev/running-frame';

/** What the thread says once it is attached. */
export const looks = 'looks';

/** What the thread saw. */
export interface Blocked {
  readonly plugin: string | undefined;
  readonly point: string | undefined;
  readonly blockedMs: number;
  /** Where the code was, innermost call first. */
  readonly stack: string;
}
