/**
 * The forms of names, with the messages that Kubernetes users know.
 *
 * @source RFC 1035, RFC 1123; https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */
const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const labelPattern = new RegExp(`^${label}$`);
const subdomainPattern = new RegExp(`^${label}(\\.${label})*$`);
const label1035Pattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedPattern = new RegExp(`^${qualified}$`);
const labelValuePattern = new RegExp(`^(${qualified})?$`);

const regexUsed = (pattern: RegExp): string => `regex used for validation is '${pattern.source.slice(1, -1)}'`;
const atMost = (max: number): string => `must be no more than ${max} characters`;

/** Characters that no API path can carry, or that stores do not accept in keys. */
const unaddressable = /[\\\p{Cc}\u{10ffff}]/u;

/** Checks that a name can be a segment of an API path. */
export function isPathSegment(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  if (name.length > 253) return [atMost(253)];
  if (unaddressable.test(name) || !name.isWellFormed()) return ['may not contain backslashes, control characters or broken Unicode'];
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`);
}

/** Checks a DNS label: at most 63 characters. */
export function isDns1123Label(name: string): readonly string[] {
  return rules(
    name,
    63,
    labelPattern,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
    'my-name',
  );
}

/** Checks a DNS subdomain: labels separated by dots, at most 253 characters. */
export function isDns1123Subdomain(name: string): readonly string[] {
  return rules(
    name,
    253,
    subdomainPattern,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    'example.com',
  );
}

/** Checks a DNS label that starts with a letter, as required for services. */
export function isDns1035Label(name: string): readonly string[] {
  return rules(
    name,
    63,
    label1035Pattern,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    'my-name',
  );
}

function rules(name: string, charactersMax: number, pattern: RegExp, rule: string, example: string): readonly string[] {
  if (name.length > charactersMax) return [atMost(charactersMax)];
  return pattern.test(name) ? [] : [`${rule} (e.g. '${example}', ${regexUsed(pattern)})`];
}

/** Checks the key of a label or annotation: an optional DNS prefix, `/`, and a name of at most 63 characters. */
export function isQualifiedName(key: string): readonly string[] {
  const parts = key.split('/');
  if (parts.length > 2)
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  const [prefix, name] = parts.length === 2 ? [parts[0] ?? '', parts[1] ?? ''] : [undefined, key];
  const found: string[] = [];
  if (prefix === '') found.push('prefix part must be non-empty');
  else if (prefix !== undefined) found.push(...isDns1123Subdomain(prefix).map((rule) => `prefix part ${rule}`));
  if (name === '') return [...found, 'name part must be non-empty'];
  if (name.length > 63) found.push(`name part ${atMost(63)}`);
  else if (!qualifiedPattern.test(name)) {
    found.push(
      `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', ${regexUsed(qualifiedPattern)})`,
    );
  }
  return found;
}

/** Checks the value of a label: empty, or at most 63 characters in the form of a qualified name. */
export function isLabelValue(value: string): readonly string[] {
  if (value.length > 63) return [atMost(63)];
  if (labelValuePattern.test(value)) return [];
  return [
    `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', ${regexUsed(labelValuePattern)})`,
  ];
}
