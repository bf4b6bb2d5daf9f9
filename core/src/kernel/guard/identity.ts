import { AsyncLocalStorage } from 'node:async_hooks';
import { isTapError } from '@tappaas/sdk';

/** The plugin whose code runs, and at which hook or point. */
export interface Frame {
  readonly plugin: string;
  readonly point: string;
  /** Who called it; nothing when the platform did. */
  readonly caller?: string | undefined;
  /** What all calls of the same run of the plugin share; tells apart kernels of one process. */
  readonly owner?: object;
}

/** Follows a plugin's asynchronous work: what it awaits, its timers, and errors that nobody caught. */
const followed = new AsyncLocalStorage<Frame>();

/**
 * The synchronous call that runs now. Synchronous taps are called far too often to pay for asynchronous context (0.2 µs), and
 * must not leave asynchronous work behind anyway.
 */
let immediate: Frame | undefined;

/** The frame of the running plugin; undefined when the platform's own code runs. */
export function runningFrame(): Frame | undefined {
  return immediate ?? followed.getStore();
}

/** Instance that called the service whose method is running now; nothing when the platform itself did. */
export function callingPlugin(): string | undefined {
  return runningFrame()?.caller;
}

/** Instance whose code is running now, or whose `error` it is. */
export function pluginOf(error?: unknown): string | undefined {
  return isTapError(error) && error.plugin !== undefined ? error.plugin : runningFrame()?.plugin;
}

/** Calls `run` as `frame`, and everything that it starts. */
export function followFrame<A, B, R>(frame: Frame, run: (a: A, b: B) => R, a: A, b: B): R {
  const outer = immediate;
  immediate = undefined;
  try {
    return followed.run(frame, run, a, b);
  } finally {
    immediate = outer;
  }
}

/** Calls `run` as `frame`, as long as it does not return. */
export function enterFrame(frame: Frame): Frame | undefined {
  const outer = immediate;
  immediate = frame;
  return outer;
}

export function leaveFrame(outer: Frame | undefined): void {
  immediate = outer;
}
