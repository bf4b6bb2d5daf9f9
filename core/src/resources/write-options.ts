import type { Guard } from '@tappaas/sdk';
import type { WriteOptions as ServedWriteOptions } from '../ports/engine.js';

/** Options of a write: those that API clients can set, and those of the platform only. */
export interface WriteOptions extends ServedWriteOptions {
  /** Fence of a leader: conditions that must hold in the write's own transaction. */
  readonly guards?: readonly Guard[];
}
