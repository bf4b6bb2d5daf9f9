/** Gives each type of a schema a unique name. The first claim gets the plain name, so the order of claims must be deterministic. */
export class TypeNames {
  readonly #taken: Set<string>;

  constructor(reserved: readonly string[]) {
    this.#taken = new Set(reserved);
  }

  /** Claims the first free candidate, else the last one with a number appended. */
  claim(...candidates: readonly string[]): string {
    const free = candidates.find((name) => !this.#taken.has(name)) ?? this.#numbered(candidates.at(-1) ?? 'Type');
    this.#taken.add(free);
    return free;
  }

  #numbered(name: string): string {
    let count = 2;
    while (this.#taken.has(`${name}${count}`)) count += 1;
    return `${name}${count}`;
  }
}

/** Converts `list-map_keys` to `ListMapKeys`. */
export function pascalCase(text: string): string {
  return text
    .split(/[^0-9A-Za-z]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** Converts `ConfigMap` to `configMap`. */
export function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** Converts the name of a list to that of its items: `ApplicationSpecProcesses` to `ApplicationSpecProcess`. */
export function singular(name: string): string {
  if (name.endsWith('sses')) return name.slice(0, -2);
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  return /[^su]s$/.test(name) ? name.slice(0, -1) : name;
}
