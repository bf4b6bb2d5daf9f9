/**
 * The return type of a function that must be synchronous.
 *
 * `void` would silently accept an `async` function; this type does not, so the compiler rejects a tap that must not await but does.
 */
export type Sync = void | undefined | null | string | number | boolean | { readonly then?: 'this function must not return a promise' };

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** A frozen map of strings: labels, annotations, headers. */
export type Strings = Readonly<Record<string, string>>;

/** `T` with every property read-only at any depth; bytes and secrets are left unchanged. */
export type Immutable<T> = T extends Uint8Array | SecretLike ? T : T extends object ? { readonly [P in keyof T]: Immutable<T[P]> } : T;

/** `T` with every property writable at any depth, as a draft of a value is; bytes and secrets are left unchanged. */
export type Mutable<T> = T extends Uint8Array | SecretLike ? T : T extends object ? { -readonly [P in keyof T]: Mutable<T[P]> } : T;

/** The mark by which {@link Immutable} recognizes a `Secret` without importing it. */
interface SecretLike {
  readonly '~secret': true;
}
