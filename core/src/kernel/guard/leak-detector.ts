import { createHook, type AsyncHook } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { runningFrame } from './identity.js';

/** Node's names for resources that keep a process alive. */
const handleTypes = new Set([
  'Timeout',
  'TCPSERVERWRAP',
  'TCPWRAP',
  'PIPESERVERWRAP',
  'PIPEWRAP',
  'UDPWRAP',
  'TTYWRAP',
  'TLSWRAP',
  'PROCESSWRAP',
  'SIGNALWRAP',
  'FSEVENTWRAP',
  'STATWATCHER',
  'WORKER',
  'MESSAGEPORT',
]);

/** Beyond this number, handles are no longer tracked. */
const handlesMax = 10_000;

export interface Leak {
  readonly plugin: string;
  /** The type of the handle, such as `Timeout` or `TCPSERVERWRAP`. */
  readonly resource: string;
  /** First line of the stack outside of Node at which it was opened. */
  readonly openedAt: string;
}

interface Followed extends Leak {
  readonly handle: WeakRef<object>;
}

/** Tracks the handles that plugins of one kernel open, and reports those still open at the end. */
export class LeakDetector {
  readonly #owners = new WeakSet();
  readonly #open = new Map<number, Followed>();
  readonly #hook: AsyncHook;

  constructor() {
    const callbacks = {
      init: (id: number, type: string, _trigger: number, resource: object) => this.#opened(id, type, resource),
      destroy: (id: number) => void this.#open.delete(id),
      /** Not in the type declarations yet: disables tracking of promises. */
      trackPromises: false,
    };
    this.#hook = createHook(callbacks);
  }

  start(): void {
    this.#hook.enable();
  }

  /** Starts tracking handles opened by calls of `owner`. */
  follow(owner: object): void {
    this.#owners.add(owner);
  }

  /** Returns open handles that keep the process alive. */
  async leaked(): Promise<readonly Leak[]> {
    // The closing of a handle is reported in a later turn.
    for (let n = 0; n < 3; n += 1) await turn();
    return [...this.#open.values()]
      .filter(({ handle }) => keepsAlive(handle.deref()))
      .map(({ plugin, resource, openedAt }) => ({ plugin, resource, openedAt }));
  }

  close(): void {
    this.#hook.disable();
    this.#open.clear();
  }

  #opened(id: number, type: string, resource: object): void {
    if (!handleTypes.has(type) || this.#open.size >= handlesMax) return;
    const frame = runningFrame();
    if (frame?.owner === undefined || !this.#owners.has(frame.owner)) return;
    this.#open.set(id, { plugin: frame.plugin, resource: type, openedAt: openedAt(), handle: new WeakRef(resource) });
  }
}

function keepsAlive(handle: object | undefined): boolean {
  if (handle === undefined) return false;
  return !('hasRef' in handle) || typeof handle.hasRef !== 'function' || handle.hasRef() !== false;
}

/** The frames to skip: the message, this function, `opened` and the callback. */
const ownFrames = 4;

function openedAt(): string {
  const lines = (new Error('opened').stack ?? '').split('\n').slice(ownFrames);
  const line = lines.find((text) => !text.includes('node:'));
  return line?.trim().replace(/^at /, '') ?? 'an unknown place';
}
