/**
 * A field selector for exactly this value, also for an untrusted one: characters with a meaning in selectors are escaped.
 *
 * @example
 * ```ts
 * context.asPlugin.list(Session, { fields: fieldIs('spec.user', name), itemsMax: 100 });
 * ```
 */
export const fieldIs = (field: string, value: string): string => `${field}=${value.replaceAll(/[\\,=]/g, String.raw`\$&`)}`;
