const form = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/**
 * Whether a text can be the name of a tenant: a label value of 1 to 63 characters. The platform rejects callers whose tenant has another
 * form of name, since the name becomes part of selectors, where a name like `=acme` would select acme's objects. An authenticator that
 * checks it here can give the reason.
 */
export function isTenantName(text: string): boolean {
  return form.test(text);
}
