/**
 * A field selector for exactly this value, whoever made it up: what selectors give a meaning to stands for itself.
 *
 * @example
 * ```ts
 * context.asPlugin.list(Session, { fields: fieldIs('spec.user', name), itemsMax: 100 });
 * ```
 */
export const fieldIs = (field: string, value: string): string => `${field}=${value.replaceAll(/[\\,=]/g, String.raw`\$&`)}`;
