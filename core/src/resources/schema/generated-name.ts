const suffixCharacters = 5;
const nameCharactersMax = 63;
/** Contains neither vowels nor digits that resemble them, so that no suffix forms a word. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * Generates a name from `generateName`: its text, truncated to fit a DNS label, and five random characters.
 *
 * @param random returns numbers in [0, 1).
 */
export function generatedName(base: string, random: () => number): string {
  const suffix = Array.from({ length: suffixCharacters }, () => alphabet[Math.floor(random() * alphabet.length)] ?? alphabet[0]).join('');
  return `${base.slice(0, nameCharactersMax - suffixCharacters)}${suffix}`;
}
