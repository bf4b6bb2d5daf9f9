import type { ApolloServerPlugin } from '@apollo/server';

const suggestion = 'Did you mean';

/**
 * Strips "Did you mean …" from a message: suggestions reveal the schema, so only callers who may introspect it get them. The message may
 * quote a whole document, so it is searched once from its end, where a suggestion stands.
 */
export function withoutSuggestion(message: string): string {
  const at = message.endsWith('?') ? message.lastIndexOf(suggestion) : -1;
  return at < 0 ? message : message.slice(0, at).trimEnd();
}

/** Strips suggestions from Apollo Server's responses. Its own option takes seconds for a document that repeats the words many times. */
export const noSuggestions: ApolloServerPlugin = {
  requestDidStart: async () => ({
    validationDidStart: async () => async (errors) => {
      for (const error of errors ?? []) error.message = withoutSuggestion(error.message);
    },
  }),
};
