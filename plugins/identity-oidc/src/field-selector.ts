/** A field selector for a value of somebody else's making: what selectors give a meaning to stands for itself. */
export const fieldIs = (field: string, value: string): string => `${field}=${value.replaceAll(/[\\,=]/g, String.raw`\$&`)}`;
