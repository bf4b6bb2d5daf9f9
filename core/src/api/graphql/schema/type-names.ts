/** Gives every type of a schema a name of its own: the plain one to whoever comes first, so ask in an order that does not change. */
export class TypeNames {
  readonly #taken: Set<string>;

  constructor(reserved: readonly string[]) {
    this.#taken = new Set(reserved);
  }

  /** The first of the candidates that is free; else the last one with a number. */
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

/** `list-map_keys` as `ListMapKeys`. */
export function pascalCase(text: string): string {
  return text
    .split(/[^0-9A-Za-z]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** `ConfigMap` as `configMap`. */
export function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** `ApplicationSpecProcesses` as `ApplicationSpecProcess`: what the items of a list are called after. */
export function singular(name: string): string {
  if (name.endsWith('sses')) return name.slice(0, -2);
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  return /[^su]s$/.test(name) ? name.slice(0, -1) : name;
}
