import { freezeDeep } from '@tappaas/sdk';
import { documentLimits } from '../schema/json-document.js';
import { equalJson, isDeeperThan, isJsonObject, memberOf, type JsonObject } from '../schema/json-value.js';
import { draftOf, isDraftObject } from './draft.js';
import { patchErrors } from './patch-errors.js';

/** The limit of kube-apiserver. */
export const jsonPatchOperationsMax = 10_000;
/** Values that the `copy` operations of one patch may duplicate; otherwise a short patch could write gigabytes. */
const jsonPatchCopiedValuesMax = 100_000;
/** List items that the insertions and removals of one patch may shift, which is their cost. */
const jsonPatchMovedItemsMax = 50_000_000;

interface Operation {
  readonly op: string;
  readonly path: readonly string[];
  readonly from: readonly string[] | undefined;
  readonly value: unknown;
}

/**
 * Applies a JSON Patch: all operations, or none.
 *
 * @source RFC 6902, RFC 6901
 * @throws TAP_PATCH_INVALID for a malformed patch, TAP_PATCH_REJECTED for one that does not fit `target` (including a failed `test`),
 * TAP_PATCH_TOO_LARGE beyond the limits above.
 */
export function applyJsonPatch(target: JsonObject, patch: unknown): unknown {
  const operations = parse(patch);
  const draft = new Draft(target);
  for (const [index, operation] of operations.entries()) draft.run(operation, index);
  if (isDeeperThan(draft.root, documentLimits.depthMax)) {
    throw patchErrors.TAP_PATCH_TOO_LARGE({ message: `the patched object is nested deeper than ${documentLimits.depthMax} levels` });
  }
  return freezeDeep(draft.root);
}

const names = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

function parse(patch: unknown): readonly Operation[] {
  if (!Array.isArray(patch)) throw invalid('a JSON patch must be a list of operations');
  if (patch.length > jsonPatchOperationsMax) {
    throw patchErrors.TAP_PATCH_TOO_LARGE({ message: `a JSON patch may have ${jsonPatchOperationsMax} operations, found ${patch.length}` });
  }
  return patch.map((operation: unknown, index) => {
    const op = memberOf(operation, 'op');
    if (!isJsonObject(operation) || typeof op !== 'string' || !names.has(op)) {
      throw invalid(`operation ${index} needs "op" to be one of ${[...names].join(', ')}, found ${JSON.stringify(op) ?? 'none'}`);
    }
    const hasValue = Object.hasOwn(operation, 'value');
    if (!hasValue && (op === 'add' || op === 'replace' || op === 'test')) throw invalid(`operation ${index} (${op}) has no "value"`);
    const needsFrom = op === 'move' || op === 'copy';
    const from = needsFrom ? pointer(operation['from'], 'from', index) : undefined;
    return { op, path: pointer(operation['path'], 'path', index), from, value: operation['value'] };
  });
}

function pointer(text: unknown, name: string, index: number): readonly string[] {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) {
    throw invalid(`operation ${index} needs "${name}" to be a JSON pointer, found ${JSON.stringify(text) ?? 'none'}`);
  }
  const tokens = text.split('/').slice(1);
  if (tokens.some((token) => /~(?![01])/.test(token))) throw invalid(`operation ${index} has a broken escape in "${name}"`);
  const parts = tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (parts.includes('__proto__')) throw invalid(`operation ${index} names "__proto__", which no object may have`);
  return parts;
}

const invalid = (message: string) => patchErrors.TAP_PATCH_INVALID({ message });
const rejected = (index: number, message: string) =>
  patchErrors.TAP_PATCH_REJECTED({ message: `operation ${index} of the patch: ${message}` });

class Draft {
  root: unknown;
  copiedValues = 0;
  movedItems = 0;

  constructor(target: JsonObject) {
    this.root = draftOf(target);
  }

  run(operation: Operation, index: number): void {
    const { op, path, from = [] } = operation;
    switch (op) {
      case 'add':
        return this.#add(path, draftOf(operation.value), index);
      case 'remove':
        this.#remove(path, index);
        return;
      case 'replace':
        this.#read(path, index);
        return this.#write(path, draftOf(operation.value));
      case 'test':
        if (!equalJson(this.#read(path, index), operation.value)) throw rejected(index, `the test of ${show(path)} failed`);
        return;
      case 'copy':
        return this.#add(path, this.#copied(this.#read(from, index)), index);
      default:
        if (path.length > from.length && from.every((part, position) => part === path[position])) {
          throw rejected(index, `${show(from)} cannot move into itself`);
        }
        this.#add(path, this.#remove(from, index), index);
    }
  }

  #read(path: readonly string[], index: number): unknown {
    let value = this.root;
    for (const [depth, part] of path.entries()) {
      const found = Array.isArray(value) ? value[position(part, value.length - 1) ?? -1] : memberOf(value, part);
      if (found === undefined) throw rejected(index, `${show(path.slice(0, depth + 1))} does not exist`);
      value = found;
    }
    return value;
  }

  #add(path: readonly string[], value: unknown, index: number): void {
    const last = path.at(-1);
    const parent = last === undefined ? undefined : this.#read(path.slice(0, -1), index);
    if (Array.isArray(parent) && last !== undefined) {
      const at = last === '-' ? parent.length : position(last, parent.length);
      if (at === undefined) throw rejected(index, `${show(path)} is outside of the list`);
      this.#splice(parent, at, 0, value);
    } else if (last === undefined || isDraftObject(parent)) this.#write(path, value);
    else throw rejected(index, `${show(path.slice(0, -1))} is neither an object nor a list`);
  }

  #splice(list: unknown[], at: number, removed: number, ...added: readonly unknown[]): void {
    this.movedItems += list.length - at;
    if (this.movedItems > jsonPatchMovedItemsMax) {
      throw patchErrors.TAP_PATCH_TOO_LARGE({ message: `the patch pushes more than ${jsonPatchMovedItemsMax} list items aside` });
    }
    list.splice(at, removed, ...added);
  }

  #remove(path: readonly string[], index: number): unknown {
    const value = this.#read(path, index);
    const last = path.at(-1);
    if (last === undefined) throw rejected(index, 'the whole object cannot be removed');
    const parent = this.#read(path.slice(0, -1), index);
    if (Array.isArray(parent)) this.#splice(parent, Number(last), 1);
    else if (isDraftObject(parent)) delete parent[last];
    return value;
  }

  /** Writes to an existing place, or to a new member of an existing object, as checked by `read`. */
  #write(path: readonly string[], value: unknown): void {
    const last = path.at(-1);
    const parent =
      last === undefined
        ? undefined
        : path.slice(0, -1).reduce<unknown>((found, part) => (found as Record<string, unknown>)[part], this.root);
    if (last === undefined) this.root = value;
    else (parent as Record<string, unknown>)[last] = value;
  }

  #copied(value: unknown): unknown {
    this.copiedValues += countValues(value);
    if (this.copiedValues > jsonPatchCopiedValuesMax) {
      throw patchErrors.TAP_PATCH_TOO_LARGE({ message: `the patch copies more than ${jsonPatchCopiedValuesMax} values` });
    }
    return draftOf(value);
  }
}

const show = (path: readonly string[]): string => (path.length === 0 ? 'the whole object' : `/${path.join('/')}`);

/** Parses an index of a JSON Pointer: digits without a leading zero, at most `max`. */
function position(part: string, max: number): number | undefined {
  const index = /^(?:0|[1-9]\d{0,8})$/.test(part) ? Number(part) : Infinity;
  return index <= max ? index : undefined;
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const member of Object.values(value)) count += countValues(member);
  return count;
}
