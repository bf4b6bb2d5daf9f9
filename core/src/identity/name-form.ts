import { credentialErrors, type Identity } from '@tappaas/sdk';

/** Controls, marks that turn or hide text, halves of surrogate pairs, private characters and separators of lines. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/**
 * Refuses names that do not show as what they are: they stand in logs, audit and bindings, where a newline begins another line and a mark
 * can make one name look like another.
 *
 * @throws TAP_CREDENTIAL_INVALID
 */
export function checkForm({ caller: { name, groups } }: Identity): void {
  const found = [name, ...groups].find((each) => unprintable.test(each));
  if (found === undefined) return;
  throw credentialErrors.TAP_CREDENTIAL_INVALID({
    message: `the credential names ${found === name ? 'a user' : 'a group'} with characters that cannot be printed: "${escaped(found)}"`,
  });
}

const toldCharsMax = 64;
const escaped = (text: string): string =>
  text
    .slice(0, toldCharsMax)
    .replaceAll(new RegExp(unprintable, 'gu'), (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
