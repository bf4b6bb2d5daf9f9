import { credentialErrors, type Identity } from '@tappaas/sdk';

/** Control characters, marks that redirect or hide text, lone surrogates, private-use characters and line separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/**
 * Refuses names that do not display as what they are: they appear in logs, audit events and bindings, where a newline would start another
 * line and a mark could make one name look like another.
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

const quotedCharsMax = 64;
const escaped = (text: string): string =>
  text
    .slice(0, quotedCharsMax)
    .replaceAll(new RegExp(unprintable, 'gu'), (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
