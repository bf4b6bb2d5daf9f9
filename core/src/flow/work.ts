/** What a request turns out to be, once that is known. */
export interface Work {
  /** Bytes of the request body. */
  readonly bytes?: number;
  /** The part of `bytes` that is YAML and not JSON. */
  readonly yamlBytes?: number;
  /** Number of keys of the written object. */
  readonly keys?: number;
}

/**
 * A unit is what a small write costs, a few tenths of a millisecond of the processor: so much is read for it, or so many keys are written.
 */
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
