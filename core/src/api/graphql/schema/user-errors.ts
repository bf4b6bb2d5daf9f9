import { GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString } from 'graphql';

const userError = new GraphQLObjectType({
  name: 'UserError',
  description: 'An error that the author of the input can correct.',
  fields: {
    field: { type: GraphQLString, description: 'Path of the input field that the error is about, such as `spec.processes[0].name`.' },
    code: { type: new GraphQLNonNull(GraphQLString), description: 'Permanent code of the error; docs/reference/errors.md lists them.' },
    reason: { type: GraphQLString, description: 'Machine-readable reason in one word, such as `QuotaExceeded`.' },
    message: { type: new GraphQLNonNull(GraphQLString), description: 'Human-readable message: what was found and what was expected.' },
  },
});

/** The field for user errors, part of every payload. */
export const userErrorsField = {
  type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(userError))),
  description: 'Why nothing was done; empty on success.',
};
