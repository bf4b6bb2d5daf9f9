/**
 * Hides small texts of a plugin under the platform's key, so that they can lie in an object that people may read: what a provider has granted
 * for a session, for example. Only the platform opens them, and only for the plugin instance that sealed them.
 */
export interface SealingService {
  /**
   * `about` binds the text to what it is for: it opens with the same words alone. Each call gives another result.
   *
   * @throws TAP_SEAL_TOO_LARGE for a text of more than 96 KiB
   */
  seal(text: string, about: string): Promise<string>;
  /** @throws TAP_SEAL_BROKEN for what was changed, or sealed by or for something else; TAP_SEAL_KEY_UNKNOWN */
  open(sealed: string, about: string): Promise<string>;
}
