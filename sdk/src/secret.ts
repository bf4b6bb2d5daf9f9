import { Type, type TUnsafe } from 'typebox';

/**
 * A value that must never be printed: logs, JSON, errors, change attribution and audit show `[secret]`.
 *
 * `bytes` and `text` read the source again at every call, so a rotated file is noticed without a reload.
 */
export interface Secret {
  readonly '~secret': true;
  /** The value's bytes. @throws TAP_SECRET_UNREADABLE naming the source, never the value. */
  bytes(): Uint8Array;
  /** The value as UTF-8 text, without a trailing newline. @throws TAP_SECRET_UNREADABLE */
  text(): string;
  /** Always `[secret]`. */
  toString(): string;
}

/**
 * How an operator refers to a secret in a configuration file; exactly one form.
 *
 * `store` names a loaded secret store instance and makes this plugin start after it; a cycle is refused while loading.
 */
export type SecretSource = { env: string } | { file: string } | { store: string; path: string; key: string };

/** The schema keyword that marks a secret field; the kernel replaces the field's value by a {@link Secret}. */
export const secretKeyword = 'x-tappaas-secret';

/**
 * A configuration field for a secret: the operator writes a {@link SecretSource}, the plugin gets a {@link Secret}.
 *
 * A literal value is refused with TAP_CONFIG_SECRET_LITERAL, so that configuration files contain no secrets.
 *
 * @example
 * ```ts
 * const config = Type.Object({ password: secret({ description: 'Password of the account that reads prices.' }) });
 * ```
 */
export function secret(options: { description: string }): TUnsafe<Secret> {
  const text = { type: 'string', minLength: 1 };
  const form = (keys: readonly string[]) => ({
    type: 'object',
    additionalProperties: false,
    required: keys,
    properties: Object.fromEntries(keys.map((key) => [key, text])),
  });
  return Type.Unsafe<Secret>({
    description: options.description,
    [secretKeyword]: true,
    anyOf: [form(['env']), form(['file']), form(['store', 'path', 'key'])],
  });
}

/** Creates a {@link Secret} from a function that reads it; for the kernel and tests; plugins get theirs from the configuration. */
export function secretFrom(read: () => Uint8Array): Secret {
  const printed = () => '[secret]';
  const value = {
    bytes: read,
    text: () => new TextDecoder().decode(read()).replace(/\r?\n$/, ''),
    toString: printed,
    toJSON: printed,
    [Symbol.for('nodejs.util.inspect.custom')]: printed,
  };
  Object.defineProperty(value, '~secret', { value: true, enumerable: false });
  // The compiler does not see the mark that was defined above.
  return Object.freeze(value) as unknown as Secret;
}
