const suffixCharacters = 5;
const nameCharactersMax = 63;
/** Neither vowels nor digits that look like them, so that no suffix is a word. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * The name that `generateName` stands for: its text, cut where a DNS label would end, and five random characters.
 *
 * @param random gives numbers in [0, 1).
 */
export function generatedName(base: string, random: () => number): string {
  const suffix = Array.from({ length: suffixCharacters }, () => alphabet[Math.floor(random() * alphabet.length)] ?? alphabet[0]).join('');
  return `${base.slice(0, nameCharactersMax - suffixCharacters)}${suffix}`;
}
