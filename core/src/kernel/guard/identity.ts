import { AsyncLocalStorage } from 'node:async_hooks';
import { isTapError } from '@tappaas/sdk';

/** The plugin whose code is running, and the hook or point. */
export interface Frame {
  readonly plugin: string;
  readonly point: string;
  /** The calling instance; undefined when the platform is the caller. */
  readonly caller?: string | undefined;
  /** Shared by all calls of one run of the plugin; distinguishes kernels in the same process. */
  readonly owner?: object;
}

/** Tracks a plugin's asynchronous work: what it awaits, its timers, and uncaught errors. */
const followed = new AsyncLocalStorage<Frame>();

/**
 * The synchronous call in progress. Synchronous taps are called far too often to pay for asynchronous context (0.2 µs), and must not leave
 * asynchronous work behind anyway.
 */
let immediate: Frame | undefined;

/** Returns the frame of the running plugin; undefined while the platform's own code runs. */
export function runningFrame(): Frame | undefined {
  return immediate ?? followed.getStore();
}

/** Returns the instance that called the running service method; undefined when the platform did. */
export function callingPlugin(): string | undefined {
  return runningFrame()?.caller;
}

/** Returns the instance whose code is running, or which `error` names. */
export function pluginOf(error?: unknown): string | undefined {
  return isTapError(error) && error.plugin !== undefined ? error.plugin : runningFrame()?.plugin;
}

/** Calls `run` as `frame`, including all asynchronous work that it starts. */
export function followFrame<A, B, R>(frame: Frame, run: (a: A, b: B) => R, a: A, b: B): R {
  const outer = immediate;
  immediate = undefined;
  try {
    return followed.run(frame, run, a, b);
  } finally {
    immediate = outer;
  }
}

/** Makes `frame` the current synchronous call; returns the previous one, which the caller must restore. */
export function enterFrame(frame: Frame): Frame | undefined {
  const outer = immediate;
  immediate = frame;
  return outer;
}

export function leaveFrame(outer: Frame | undefined): void {
  immediate = outer;
}
