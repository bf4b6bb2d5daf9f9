const form = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/**
 * Whether a text can be the name of a tenant: a label value of 1 to 63 characters. The platform lets nobody in whose tenant is called
 * otherwise, since the name becomes part of selectors, where one like `=acme` would select what is acme's; an authenticator that asks
 * here can say why.
 */
export function isTenantName(text: string): boolean {
  return form.test(text);
}
