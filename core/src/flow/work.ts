/** The actual cost of a request, once it is known. */
export interface Work {
  /** Bytes of the request body. */
  readonly bytes?: number;
  /** The part of `bytes` that is YAML and not JSON. */
  readonly yamlBytes?: number;
  /** Number of keys of the written object. */
  readonly keys?: number;
}

/** One unit is the cost of a small write, a few tenths of a millisecond of CPU time: reading this many bytes, or writing this many keys. */
const bytesOfUnit = 16 * 1024;
const keysOfUnit = 50;
/** Parsing YAML takes fourteen times as long as JSON: 250 kB with many keys take 130 ms. */
const yamlBytesOfUnit = 512;

/** A request with at least this many units waits in turn with other heavy requests. */
export const heavyUnits = 8;

/** Returns the units that a request costs beyond the first, which every request costs. */
export function unitsOf({ bytes = 0, yamlBytes = 0, keys = 0 }: Work): number {
  return Math.floor(bytes / bytesOfUnit) + Math.floor(yamlBytes / yamlBytesOfUnit) + Math.floor(keys / keysOfUnit);
}
