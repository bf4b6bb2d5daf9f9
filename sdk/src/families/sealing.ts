/**
 * Encrypts small texts of a plugin with the platform's key, so that they can be stored in an object that people may read: for example the
 * tokens that a provider has granted for a session. Only the platform can decrypt them, and only for the plugin instance that sealed them.
 */
export interface SealingService {
  /**
   * Encrypts a text. `about` binds it to its purpose: it can only be opened with the same `about`. Each call gives a different result.
   *
   * @throws TAP_SEAL_TOO_LARGE for a text of more than 96 KiB
   */
  seal(text: string, about: string): Promise<string>;
  /**
   * Decrypts a text.
   *
   * @throws TAP_SEAL_BROKEN if it was modified, or sealed by another instance or with another `about`; TAP_SEAL_KEY_UNKNOWN
   */
  open(sealed: string, about: string): Promise<string>;
}
