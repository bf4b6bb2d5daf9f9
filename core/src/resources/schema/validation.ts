import type { OpenApiSchema } from '@tappaas/sdk/kubernetes';
import { duplicate, forbidden, invalid, notSupported, required, tooLong, tooMany, typeInvalid, typeName, type Cause } from './cause.js';
import { branchesOf, memberType, type FieldType } from './field-type.js';
import { entryPath, fieldPath, itemPath } from './field-path.js';
import { formats } from './formats.js';
import { canonicalJson, equalJson, isJsonObject, type JsonObject } from './json-value.js';

/** Maximum number of findings; more would not help the reader. */
export const causesMax = 100;

/**
 * Validates `value` against its schema; returns an empty list if it is valid. Each finding names its field, and all are returned together,
 * up to {@link causesMax}. Unknown fields are ignored where the schema allows them.
 */
export function validate(type: FieldType, value: unknown, path = ''): readonly Cause[] {
  const causes: Cause[] = [];
  check(type, value, path, causes);
  return causes.slice(0, causesMax);
}

/** Validates `value`, which was derived from the valid `sound`: members identical to those of `sound` are not checked again. */
export function validateChange(type: FieldType, value: JsonObject, sound: JsonObject): readonly Cause[] {
  const names = Object.keys(value);
  const isSameForm = names.length === Object.keys(sound).length && names.every((name) => Object.hasOwn(sound, name));
  if (!isSameForm || branchesOf(type.schema).length > 0 || type.schema['not'] !== undefined) return validate(type, value);
  return validateMembers(
    type,
    value,
    names.filter((name) => value[name] !== sound[name]),
  );
}

/** Validates some members of `value`. */
export function validateMembers(type: FieldType, value: JsonObject, names: readonly string[]): readonly Cause[] {
  return names
    .flatMap((name) => {
      const field = memberType(type, name);
      if (value[name] === undefined) return type.required.has(name) ? [required(name)] : [];
      return field === undefined ? [] : validate(field, value[name], name);
    })
    .slice(0, causesMax);
}

function check(type: FieldType, value: unknown, path: string, causes: Cause[]): void {
  if (causes.length >= causesMax) return;
  const { schema } = type;
  if (value === null && schema.nullable === true) return;
  if (schema.type !== undefined && !fits(value, schema.type)) {
    causes.push(typeInvalid(path, value, schema.type));
    return;
  }
  if (schema['x-kubernetes-int-or-string'] === true && !fits(value, 'integer') && !fits(value, 'string')) {
    causes.push(typeInvalid(path, value, 'integer or string'));
    return;
  }
  checkChoices(schema, value, path, causes);
  checkScalar(schema, value, path, causes);
  checkBranches(type, value, path, causes);
  if (Array.isArray(value)) checkList(type, value, path, causes);
  else if (isJsonObject(value)) checkMembers(type, value, path, causes);
}

function fits(value: unknown, type: string): boolean {
  const found = typeName(value);
  return found === type || (type === 'number' && found === 'integer');
}

function checkChoices(schema: OpenApiSchema, value: unknown, path: string, causes: Cause[]): void {
  const choices = 'const' in schema ? [schema['const']] : schema.enum;
  if (choices !== undefined && !choices.some((choice) => equalJson(choice, value))) causes.push(notSupported(path, value, choices));
}

const patterns = new WeakMap<OpenApiSchema, RegExp>();

function patternOf(schema: OpenApiSchema, source: string): RegExp {
  const known = patterns.get(schema) ?? new RegExp(source, 'u');
  patterns.set(schema, known);
  return known;
}

const numberOf = (schema: OpenApiSchema, keyword: string): number | undefined => {
  const limit = schema[keyword];
  return typeof limit === 'number' ? limit : undefined;
};

function checkScalar(schema: OpenApiSchema, value: unknown, path: string, causes: Cause[]): void {
  const rule = schema.format === undefined ? undefined : formats.get(schema.format)?.(value);
  if (rule !== undefined) causes.push(invalid(path, value, rule));
  if (typeof value === 'string') checkText(schema, value, path, causes);
  if (typeof value === 'number') checkNumber(schema, value, path, causes);
}

function checkText(schema: OpenApiSchema, value: string, path: string, causes: Cause[]): void {
  const { pattern } = schema;
  const [min, max] = [numberOf(schema, 'minLength'), numberOf(schema, 'maxLength')];
  if (min !== undefined && codePoints(value) < min) causes.push(invalid(path, value, `should be at least ${min} chars long`));
  if (max !== undefined && value.length > max && codePoints(value) > max) causes.push(tooLong(path, max, 'characters'));
  if (typeof pattern === 'string' && !patternOf(schema, pattern).test(value))
    causes.push(invalid(path, value, `should match '${pattern}'`));
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function checkNumber(schema: OpenApiSchema, value: number, path: string, causes: Cause[]): void {
  const refuse = (rule: string): void => void causes.push(invalid(path, value, rule));
  const [min, max] = [numberOf(schema, 'minimum'), numberOf(schema, 'maximum')];
  const [above, under] = [exclusive(schema, 'exclusiveMinimum', min), exclusive(schema, 'exclusiveMaximum', max)];
  if (min !== undefined && value < min) refuse(`should be greater than or equal to ${min}`);
  if (max !== undefined && value > max) refuse(`should be less than or equal to ${max}`);
  if (above !== undefined && value <= above) refuse(`should be greater than ${above}`);
  if (under !== undefined && value >= under) refuse(`should be less than ${under}`);
  const step = numberOf(schema, 'multipleOf');
  if (step !== undefined && !Number.isInteger(value / step)) refuse(`should be a multiple of ${step}`);
}

/** In OpenAPI 3.0 this is `true` beside the limit, in JSON Schema the limit itself. */
const exclusive = (schema: OpenApiSchema, keyword: string, limit: number | undefined): number | undefined =>
  schema[keyword] === true ? limit : numberOf(schema, keyword);

function checkList(type: FieldType, list: readonly unknown[], path: string, causes: Cause[]): void {
  const [min, max] = [numberOf(type.schema, 'minItems'), numberOf(type.schema, 'maxItems')];
  if (min !== undefined && list.length < min) causes.push(invalid(path, list.length, `should have at least ${min} items`));
  if (max !== undefined && list.length > max) causes.push(tooMany(path, list.length, max));
  if (type.schema.items !== undefined) {
    const { items } = type;
    for (let index = 0; index < list.length && causes.length < causesMax; index++) check(items, list[index], itemPath(path, index), causes);
  }
  checkDistinct(type, list, path, causes);
}

/** Requires distinct items in sets and keyed lists, since a patch could not tell equal ones apart; Kubernetes tolerates a few. */
function checkDistinct(type: FieldType, list: readonly unknown[], path: string, causes: Cause[]): void {
  const isSet = type.listType === 'set' || type.schema['uniqueItems'] === true;
  if ((!isSet && type.listType !== 'map') || type.schema['x-tappaas-duplicates'] === true) return;
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const key = isSet ? item : Object.fromEntries(type.keys.map((name) => [name, keyOf(type, item, name)]));
    const text = canonicalJson(key);
    if (seen.has(text)) causes.push(duplicate(itemPath(path, index), key));
    seen.add(text);
  }
}

const keyOf = (type: FieldType, item: unknown, name: string): unknown =>
  (isJsonObject(item) ? item[name] : undefined) ?? type.items.fields.get(name)?.schema.default ?? null;

function checkMembers(type: FieldType, value: JsonObject, path: string, causes: Cause[]): void {
  const { schema, fields } = type;
  for (const name of type.required)
    if (value[name] === undefined || !Object.hasOwn(value, name)) causes.push(required(fieldPath(path, name)));
  const names = Object.keys(value);
  const [min, max] = [numberOf(schema, 'minProperties'), numberOf(schema, 'maxProperties')];
  if (min !== undefined && names.length < min) causes.push(invalid(path, names.length, `should have at least ${min} properties`));
  if (max !== undefined && names.length > max) causes.push(tooMany(path, names.length, max));
  for (const name of names) {
    if (causes.length >= causesMax) return;
    if (value[name] === undefined) continue;
    const field = fields.get(name);
    if (field !== undefined) check(field, value[name], fieldPath(path, name), causes);
    else checkUnnamed(type, name, value[name], path, causes);
  }
}

function checkUnnamed(type: FieldType, name: string, value: unknown, path: string, causes: Cause[]): void {
  if (type.values !== undefined) check(type.values, value, entryPath(path, name), causes);
  else if (type.schema.additionalProperties === false) causes.push(forbidden(fieldPath(path, name), 'unknown field'));
}

function checkBranches(type: FieldType, value: unknown, path: string, causes: Cause[]): void {
  const { schema } = type;
  if (branchesOf(schema).length === 0 && schema['not'] === undefined) return;
  for (const branch of schema.allOf ?? []) check(type.branch(branch), value, path, causes);
  for (const branches of [schema.anyOf, schema.oneOf]) {
    if (branches !== undefined) checkUnion(type, branches, value, path, causes, branches === schema.oneOf);
  }
  const not = schema['not'];
  if (isJsonObject(not) && validate(type.branch(not), value).length === 0) causes.push(invalid(path, value, 'must not be of this form'));
}

function checkUnion(
  type: FieldType,
  branches: readonly OpenApiSchema[],
  value: unknown,
  path: string,
  causes: Cause[],
  exactlyOne: boolean,
): void {
  const found = branches.map((branch) => validate(type.branch(branch), value, path));
  const fitting = found.filter((list) => list.length === 0).length;
  if (fitting === 1 || (fitting > 1 && !exactlyOne)) return;
  if (fitting > 1) causes.push(invalid(path, value, 'fits more than one of the forms, of which exactly one must fit'));
  else causes.push(...unionCauses(branches, found, value, path));
}

/** Reports a failed union: of constants as their list, of types as their names, otherwise by the findings of the closest branch. */
function unionCauses(
  branches: readonly OpenApiSchema[],
  found: readonly (readonly Cause[])[],
  value: unknown,
  path: string,
): readonly Cause[] {
  if (branches.every((branch) => 'const' in branch)) {
    const words = branches.map((branch) => branch['const']);
    return [notSupported(path, value, words)];
  }
  const types = branches.map((branch) => branch.type);
  if (types.every((name) => name !== undefined && name !== 'object' && !fits(value, name)))
    return [typeInvalid(path, value, types.join(' or '))];
  return found.reduce((best, list) => (list.length < best.length ? list : best), found[0] ?? []);
}
