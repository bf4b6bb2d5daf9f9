import type { Guard } from '@tappaas/sdk';
import type { WriteOptions as ServedWriteOptions } from '../ports/engine.js';

/** What whoever writes over the API may ask for, and what only the platform asks for. */
export interface WriteOptions extends ServedWriteOptions {
  /** A leader's fence: conditions that hold in the write's own transaction, or nothing is written. */
  readonly guards?: readonly Guard[];
}
