/**
 * What a synchronous function may return.
 *
 * `void` would silently accept an `async` function; this type does not, so a tap that must not await cannot be written wrongly.
 */
export type Sync = void | undefined | null | string | number | boolean | { readonly then?: 'this function must not return a promise' };

/** A value now or later. */
export type Awaitable<T> = T | Promise<T>;

/** A frozen map of strings: labels, annotations, headers. */
export type Strings = Readonly<Record<string, string>>;

/** `T` with every property read-only, all the way down; bytes and secrets stay what they are. */
export type Immutable<T> = T extends Uint8Array | SecretLike ? T : T extends object ? { readonly [P in keyof T]: Immutable<T[P]> } : T;

/** The mark by which {@link Immutable} knows a `Secret` without importing it. */
interface SecretLike {
  readonly '~secret': true;
}
