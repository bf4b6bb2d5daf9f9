/** What a request turns out to be, once that is known. */
export interface Work {
  /** Of the body that is read. */
  readonly bytes?: number;
  /** Of the object that is written. */
  readonly keys?: number;
}

/** A unit is what a small write costs, a few tenths of a millisecond of the processor: so much is read for it, or so many keys are written. */
const bytesOfUnit = 16 * 1024;
const keysOfUnit = 50;

/** From here on a request has to wait for those like it. */
export const heavyUnits = 8;

/** What a request costs beyond the unit that each costs. */
export function unitsOf({ bytes = 0, keys = 0 }: Work): number {
  return Math.floor(bytes / bytesOfUnit) + Math.floor(keys / keysOfUnit);
}
