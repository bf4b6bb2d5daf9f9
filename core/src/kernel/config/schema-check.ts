import { isDeepStrictEqual } from 'node:util';
import { secretKeyword, type Secret, type SecretSource } from '@tappaas/sdk';
import { makeProblem, type ProblemCode } from '../errors.js';
import type { JsonSchema } from '../manifest/manifest.js';
import type { Position, Problem } from '../problem.js';
import { didYouMean, nearestName } from './nearest-name.js';
import { nodeOf, pathText, plainOf, type ConfigNode, type ListNode, type MapNode } from './node.js';
import { expectation, numberFault, shown, stringFault } from './scalar-check.js';

type Path = readonly (string | number)[];

/** The result of a check: with defaults filled in, and secret sources replaced by secrets. */
export interface Checked {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Secret stores that the value refers to, with their places. */
  readonly stores: readonly { readonly store: string; readonly path: string; readonly at: Position | undefined }[];
}

/**
 * Checks a configuration value against a schema and decodes it, reporting all problems. This is an interpreter, because compiling
 * validators take 10 ms per schema, say less about what was meant, and support neither places nor secrets.
 */
export function checkValue(node: ConfigNode, schema: JsonSchema, path: Path, makeSecret: (source: SecretSource) => Secret): Checked {
  const check = new Check(makeSecret);
  const value = check.value(node, schema, path);
  return { value, problems: check.problems, stores: check.stores };
}

class Check {
  readonly problems: Problem[] = [];
  readonly stores: { store: string; path: string; at: Position | undefined }[] = [];
  readonly #makeSecret: (source: SecretSource) => Secret;

  constructor(makeSecret: (source: SecretSource) => Secret) {
    this.#makeSecret = makeSecret;
  }

  value(node: ConfigNode, schema: JsonSchema, path: Path): unknown {
    if (schema[secretKeyword] === true) return this.#secret(node, path);
    const forms = (schema['anyOf'] ?? schema['oneOf']) as readonly JsonSchema[] | undefined;
    if (forms !== undefined) return this.#union(node, forms, schema, path);
    const plain = node.kind === 'scalar' ? node.value : undefined;
    if ('const' in schema && !isDeepStrictEqual(plainOf(node), schema['const'])) return this.#notAllowed(node, [schema['const']], path);
    const allowed = schema['enum'] as readonly unknown[] | undefined;
    if (allowed !== undefined && !allowed.some((one) => isDeepStrictEqual(one, plainOf(node))))
      return this.#notAllowed(node, allowed, path);
    switch (schema['type']) {
      case 'object':
        return node.kind === 'map' ? this.#map(node, schema, path) : this.#wrongType(node, schema, path);
      case 'array':
        return node.kind === 'list' ? this.#list(node, schema, path) : this.#wrongType(node, schema, path);
      case 'string':
        return typeof plain === 'string' ? this.#fault(node, stringFault(plain, schema), plain, path) : this.#wrongType(node, schema, path);
      case 'integer':
        if (!Number.isInteger(plain)) return this.#wrongType(node, schema, path);
        return this.#fault(node, numberFault(plain as number, schema), plain, path);
      case 'number':
        if (!Number.isFinite(plain)) return this.#wrongType(node, schema, path);
        return this.#fault(node, numberFault(plain as number, schema), plain, path);
      case 'boolean':
        return typeof plain === 'boolean' ? plain : this.#wrongType(node, schema, path);
      case 'null':
        return plain === null ? null : this.#wrongType(node, schema, path);
      default:
        return plainOf(node);
    }
  }

  #map(node: MapNode, schema: JsonSchema, path: Path): unknown {
    const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
    const patterns = Object.entries((schema['patternProperties'] ?? {}) as Readonly<Record<string, JsonSchema>>);
    const additional = schema['additionalProperties'];
    const decoded: Record<string, unknown> = {};
    const unknown: string[] = [];
    for (const [key, { node: child }] of node.entries) {
      const known = Object.hasOwn(properties, key)
        ? properties[key]
        : patterns.find(([pattern]) => new RegExp(pattern, 'u').test(key))?.[1];
      if (known !== undefined) decoded[key] = this.value(child, known, [...path, key]);
      else if (typeof additional === 'object' && additional !== null)
        decoded[key] = this.value(child, additional as JsonSchema, [...path, key]);
      else if (additional === false || patterns.length > 0) unknown.push(key);
      else decoded[key] = plainOf(child);
    }
    this.#unknownKeys(node, unknown, properties, path);
    this.#combination(node, schema, path);
    for (const [key, property] of Object.entries(properties)) {
      if (node.entries.has(key)) continue;
      if ('default' in property) decoded[key] = this.value(nodeOf(property['default']), property, [...path, key]);
      else if ((schema['required'] as readonly string[] | undefined)?.includes(key)) this.#missing(node, key, property, path, unknown);
    }
    const { size } = node.entries;
    const { minProperties, maxProperties } = schema;
    if (typeof minProperties === 'number' && size < minProperties)
      this.#report(node, path, `at least ${minProperties} keys expected, ${size} found`);
    if (typeof maxProperties === 'number' && size > maxProperties)
      this.#report(node, path, `at most ${maxProperties} keys expected, ${size} found`);
    return decoded;
  }

  #unknownKeys(node: MapNode, unknown: readonly string[], properties: Readonly<Record<string, JsonSchema>>, path: Path): void {
    const free = Object.keys(properties).filter((key) => !node.entries.has(key));
    for (const key of unknown) {
      const hint = didYouMean(key, free) || (free.length === 0 ? '' : `; known keys: ${Object.keys(properties).join(', ')}`);
      this.#add('TAP_CONFIG_UNKNOWN_KEY', [...path, key], `unknown key${hint}`, node.entries.get(key)?.keyAt ?? node.at);
    }
  }

  /** Reports values that exclude each other at the last of them. */
  #combination(node: MapNode, schema: JsonSchema, path: Path): void {
    const { properties = {} } = (schema['not'] ?? {}) as { readonly properties?: Readonly<Record<string, { readonly const: unknown }>> };
    const parts = Object.entries(properties).map(([key, { const: value }]) => ({ key, value, found: node.entries.get(key)?.node }));
    const last = parts.at(-1);
    if (last?.found === undefined || !parts.every(({ value, found }) => found !== undefined && isDeepStrictEqual(plainOf(found), value)))
      return;
    const others = parts.slice(0, -1).map(({ key, value }) => `${key}: ${shown(value)}`);
    this.#report(last.found, [...path, last.key], `${shown(last.value)} does not go with ${others.join(', ')}`);
  }

  /** Reports a missing key, unless a mistyped key was reported in its place. */
  #missing(node: MapNode, key: string, property: JsonSchema, path: Path, unknown: readonly string[]): void {
    if (unknown.some((name) => nearestName(name, [key]) === key)) return;
    const about = typeof property['description'] === 'string' ? ` (${property['description'].replace(/\.$/, '')})` : '';
    this.#add('TAP_CONFIG_MISSING_KEY', [...path, key], `missing; expected ${expectation(property)}${about}`, node.at);
  }

  #list(node: ListNode, schema: JsonSchema, path: Path): unknown {
    const { items, minItems, maxItems, uniqueItems } = schema;
    const { length } = node.items;
    if (typeof minItems === 'number' && length < minItems) this.#report(node, path, `at least ${minItems} items expected, ${length} found`);
    if (typeof maxItems === 'number' && length > maxItems) this.#report(node, path, `at most ${maxItems} items expected, ${length} found`);
    const plain = node.items.map(plainOf);
    if (uniqueItems === true) {
      const again = plain.findIndex((item, n) => plain.slice(0, n).some((earlier) => isDeepStrictEqual(earlier, item)));
      if (again >= 0) this.#report(node.items[again] ?? node, [...path, again], `${shown(plain[again])} stands in the list before`);
    }
    return node.items.map((item, n) => {
      const form = (Array.isArray(items) ? items[n] : items) as JsonSchema | undefined;
      return form === undefined ? plain[n] : this.value(item, form, [...path, n]);
    });
  }

  /** Returns the matching form, or else the most likely one: with matching constants, or with the fewest problems. */
  #union(node: ConfigNode, forms: readonly JsonSchema[], schema: JsonSchema, path: Path): unknown {
    const constants = forms.map((form) => form['const']);
    if (forms.every((form) => 'const' in form)) {
      return constants.some((one) => isDeepStrictEqual(one, plainOf(node))) ? plainOf(node) : this.#notAllowed(node, constants, path);
    }
    const tries = forms.map((form) => ({ form, ...checkValue(node, form, path, this.#makeSecret) }));
    const best = tries.reduce((a, b) => (weight(b.problems, path) < weight(a.problems, path) ? b : a));
    if (best.problems.length > 0 && isOffTarget(best.problems, path)) return this.#wrongType(node, schema, path);
    this.problems.push(...best.problems);
    this.stores.push(...best.stores);
    return best.value;
  }

  #secret(node: ConfigNode, path: Path): unknown {
    const keys = node.kind === 'map' ? [...node.entries.keys()].toSorted().join(' ') : undefined;
    const source = plainOf(node);
    const texts = node.kind === 'map' && Object.values(source as object).every((part) => typeof part === 'string' && part !== '');
    if (keys === undefined) {
      this.#add(
        'TAP_CONFIG_SECRET_LITERAL',
        path,
        'a secret must not stand in the configuration; expected { env }, { file } or { store, path, key }',
        node.at,
      );
    } else if (!['env', 'file', 'key path store'].includes(keys) || !texts) {
      this.#add(
        'TAP_CONFIG_TYPE',
        path,
        `expected { env }, { file } or { store, path, key } with texts, found the keys ${keys || '(none)'}`,
        node.at,
      );
    } else {
      if ('store' in (source as object))
        this.stores.push({ store: (source as { store: string }).store, path: pathText(path), at: node.at });
      return this.#makeSecret(source as SecretSource);
    }
    return undefined;
  }

  #notAllowed(node: ConfigNode, allowed: readonly unknown[], path: Path): undefined {
    const found = plainOf(node);
    const hint =
      typeof found === 'string'
        ? didYouMean(
            found,
            allowed.filter((one) => typeof one === 'string'),
          )
        : '';
    const list = allowed.map(shown).join(', ');
    this.#add(
      'TAP_CONFIG_VALUE',
      path,
      `expected ${allowed.length === 1 ? list : `one of ${list}`}, found ${shown(found)}${hint}`,
      node.at,
    );
  }

  #wrongType(node: ConfigNode, schema: JsonSchema, path: Path): undefined {
    const found = node.kind === 'map' ? 'a map' : node.kind === 'list' ? 'a list' : shown(node.value);
    this.#add('TAP_CONFIG_TYPE', path, `expected ${expectation(schema)}, found ${found}`, node.at);
  }

  #fault(node: ConfigNode, fault: string | undefined, value: unknown, path: Path): unknown {
    if (fault !== undefined) this.#report(node, path, fault);
    return value;
  }

  #report(node: ConfigNode, path: Path, message: string): void {
    this.#add('TAP_CONFIG_VALUE', path, message, node.at);
  }

  #add(code: ProblemCode, path: Path, message: string, at: Position | undefined): void {
    this.problems.push(makeProblem(code, pathText(path), message, at));
  }
}

/** Problems with the value itself, or with one of its constants, indicate that another form was meant. */
function weight(problems: readonly Problem[], path: Path): number {
  return (
    problems.length + (isOffTarget(problems, path) ? 1000 : 0) + 100 * problems.filter(({ code }) => code === 'TAP_CONFIG_VALUE').length
  );
}

const isOffTarget = (problems: readonly Problem[], path: Path): boolean =>
  problems.some((problem) => problem.path === pathText(path) && problem.code === 'TAP_CONFIG_TYPE');
