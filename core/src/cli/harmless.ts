/** Includes characters that would display a line in another order. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

const writtenOut = (character: string): string => String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0');

/** Escapes text from others for a terminal: characters that could clear it, set its title or hide content. JSON keeps its value. */
export const harmless = (text: string): string =>
  text.replace(controls, (character) => (character === '\n' || character === '\t' ? character : writtenOut(character)));

/** As {@link harmless}, for text within a line: line breaks are escaped as well. */
export const harmlessLine = (text: string): string => text.replace(controls, writtenOut);
