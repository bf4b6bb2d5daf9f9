import type { PluginManifest } from '@tappaas/core';

type Schema = Readonly<Record<string, unknown>>;
/** A configuration, or a part of one. */
export type Values = Readonly<Record<string, unknown>>;

const notOfType = [[[]], { unexpected: true }, 'text', true, -0.5] as const;

/** Every key of a configuration with candidate values, at least one of which has a wrong type. */
export function wrongValues({ config }: PluginManifest): readonly { readonly key: string; readonly values: readonly unknown[] }[] {
  return Object.keys(propertiesOf(config)).map((key) => ({ key, values: notOfType }));
}

/** Configurations that differ from `values` in one place, down to three levels. They may be invalid: the kernel decides that. */
export function neighbours({ config }: Pick<PluginManifest, 'config'>, values: Values): readonly Values[] {
  return variants(config, values, 3) as readonly Values[];
}

function variants(schema: Schema, value: unknown, depth: number): readonly unknown[] {
  const { default: byDefault, enum: named, anyOf, const: only } = schema;
  const current = value ?? byDefault;
  if (only !== undefined) return [];
  if (Array.isArray(named)) return named.filter((each) => each !== current);
  if (Array.isArray(anyOf)) return anyOf.flatMap((form: Schema) => ('const' in form && form['const'] !== current ? [form['const']] : []));
  if (typeof current === 'boolean') return [!current];
  if (typeof current === 'number') return numbers(schema, current);
  if (typeof current === 'string') return [`${current}x`];
  if (Array.isArray(current)) return current.length > 0 ? [[]] : [];
  if (schema['type'] !== 'object' || depth === 0) return [];
  const record = (current ?? {}) as Values;
  const changed = Object.entries(propertiesOf(schema)).flatMap(([key, property]) =>
    variants(property, record[key], depth - 1).map((variant) => ({ ...record, [key]: variant })),
  );
  const without = Object.keys(record).map((key) => Object.fromEntries(Object.entries(record).filter(([other]) => other !== key)));
  return [...changed, ...without];
}

function numbers({ multipleOf = 1 }: Schema, current: number): readonly number[] {
  const step = multipleOf as number;
  return [current + step, current - step, current * 2];
}

const propertiesOf = (schema: Schema): Readonly<Record<string, Schema>> => (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
