/** What a request turns out to be, once that is known. */
export interface Work {
  /** Of the body that is read. */
  readonly bytes?: number;
  /** Of them, those that are YAML and no JSON. */
  readonly yamlBytes?: number;
  /** Of the object that is written. */
  readonly keys?: number;
}

/** A unit is what a small write costs, a few tenths of a millisecond of the processor: so much is read for it, or so many keys are written. */
const bytesOfUnit = 16 * 1024;
const keysOfUnit = 50;
/** Reading YAML takes fourteen times as long as reading JSON: 250 kB of many keys 130 ms. */
const yamlBytesOfUnit = 512;

/** From here on a request has to wait for those like it. */
export const heavyUnits = 8;

/** What a request costs beyond the unit that each costs. */
export function unitsOf({ bytes = 0, yamlBytes = 0, keys = 0 }: Work): number {
  return Math.floor(bytes / bytesOfUnit) + Math.floor(yamlBytes / yamlBytesOfUnit) + Math.floor(keys / keysOfUnit);
}
