/** One resource over all nodes. `free` is `allocatable - requested`, kept up to date so that reading it needs no arithmetic. */
export interface ResourceColumns {
  readonly resource: string;
  readonly allocatable: Float64Array;
  readonly requested: Float64Array;
  readonly free: Float64Array;
}

/** Interned resources: one set of columns per name, up to a limit. */
export class ResourceIndex {
  readonly #columns = new Map<string, { resource: string; allocatable: Float64Array; requested: Float64Array; free: Float64Array }>();
  readonly #resourcesMax: number;
  #capacity: number;

  constructor(capacity: number, resourcesMax: number) {
    this.#capacity = capacity;
    this.#resourcesMax = resourcesMax;
  }

  /** Number of known resources; it only grows. */
  get size(): number {
    return this.#columns.size;
  }

  known(resource: string): ResourceColumns | undefined {
    return this.#columns.get(resource);
  }

  /**
   * Returns the columns of a resource, creating them on first use.
   *
   * Returns undefined once `resourcesMax` names are known: then the resource counts as absent from every node, so pods that request it fit
   * nowhere.
   */
  intern(resource: string): ResourceColumns | undefined {
    const known = this.#columns.get(resource);
    if (known !== undefined || this.#columns.size >= this.#resourcesMax) return known;
    const zeros = () => new Float64Array(this.#capacity);
    const made = { resource, allocatable: zeros(), requested: zeros(), free: zeros() };
    this.#columns.set(resource, made);
    return made;
  }

  all(): Iterable<ResourceColumns> {
    return this.#columns.values();
  }

  grow(capacity: number): void {
    this.#capacity = capacity;
    for (const columns of this.#columns.values()) {
      columns.allocatable = grownFloats(columns.allocatable, capacity);
      columns.requested = grownFloats(columns.requested, capacity);
      columns.free = grownFloats(columns.free, capacity);
    }
  }
}

/** Returns a longer copy, filled up with zeros. */
export function grownFloats(values: Float64Array, capacity: number): Float64Array {
  const larger = new Float64Array(capacity);
  larger.set(values);
  return larger;
}
