import { errorTable } from '@tappaas/sdk';

/** Errors of selectors that cannot be parsed. */
export const selectorErrors = errorTable({
  TAP_SELECTOR_INVALID: {
    httpStatus: 400,
    blame: 'caller',
    retry: 'never',
    remedy: 'Write the selector as `key=value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`, `key` or `!key`, with commas between.',
  },
});

/** Longer selectors do not fit in a request line. */
export const selectorCharactersMax = 16_384;

export const invalidSelector = (message: string) => selectorErrors.TAP_SELECTOR_INVALID({ message });

/** @throws TAP_SELECTOR_INVALID */
export function checkLength(text: string): void {
  if (text.length > selectorCharactersMax)
    throw invalidSelector(`a selector may have ${selectorCharactersMax} characters, found ${text.length}`);
}
