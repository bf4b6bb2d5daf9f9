import { GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString } from 'graphql';

const userError = new GraphQLObjectType({
  name: 'UserError',
  description: 'Something that whoever wrote the input can put right.',
  fields: {
    field: { type: GraphQLString, description: 'Path of the field of the input that it is about, such as `spec.processes[0].name`.' },
    code: { type: new GraphQLNonNull(GraphQLString), description: 'Permanent code of the error; docs/reference/errors.md lists them.' },
    reason: { type: GraphQLString, description: 'Why it was objected to, in one word for programs, such as `QuotaExceeded`.' },
    message: { type: new GraphQLNonNull(GraphQLString), description: 'What is, and what was expected, for people.' },
  },
});

/** What every payload tells of what was wrong. */
export const userErrorsField = {
  type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(userError))),
  description: 'Why nothing was done; empty when it was.',
};
