import { GraphQLEnumType, GraphQLFloat, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString } from 'graphql';
import type { PlacementDecision } from '../ports.js';
import { timeScalar } from './scalars.js';

const outcome = new GraphQLEnumType({
  name: 'PlacementOutcome',
  description: 'Outcome of a scheduling decision.',
  values: {
    PLACED: { value: 'placed', description: 'It has a node.' },
    UNSCHEDULABLE: { value: 'unschedulable', description: 'No node can take it; it waits for a change.' },
    FAILED: { value: 'failed', description: 'The decision itself failed, and is tried again.' },
  },
});

const score = new GraphQLObjectType({
  name: 'PlacementScore',
  description: 'The score of the chosen node by one plugin.',
  fields: {
    plugin: { type: new GraphQLNonNull(GraphQLString), description: 'The plugin.' },
    points: { type: new GraphQLNonNull(GraphQLFloat), description: 'Its points for the node.' },
    weight: { type: new GraphQLNonNull(GraphQLFloat), description: 'Factor that its points are multiplied with.' },
  },
});

const refusal = new GraphQLObjectType({
  name: 'PlacementRefusal',
  description: 'Why nodes were rejected.',
  fields: {
    plugin: { type: new GraphQLNonNull(GraphQLString), description: 'The plugin that refused them.' },
    message: { type: new GraphQLNonNull(GraphQLString), description: 'The reason.' },
    nodes: { type: new GraphQLNonNull(GraphQLInt), description: 'How many nodes it was refused on.' },
  },
});

const listOf = (type: GraphQLObjectType) => new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)));

export const placement = new GraphQLObjectType<PlacementDecision>({
  name: 'Placement',
  description: 'The latest decision about where a pod runs, and why.',
  fields: {
    outcome: { type: new GraphQLNonNull(outcome), description: 'Outcome of the decision.' },
    node: { type: GraphQLString, description: 'The chosen node; null without one.', resolve: ({ chosen }) => chosen?.node },
    scores: {
      type: listOf(score),
      description: 'Scores of the chosen node by plugin; empty when at most one node could take the pod.',
      resolve: ({ chosen }) => chosen?.parts ?? [],
    },
    message: { type: GraphQLString, description: 'Without a node: the reason in one sentence.' },
    refused: { type: listOf(refusal), description: 'Why other nodes were rejected.' },
    nodes: { type: new GraphQLNonNull(GraphQLInt), description: 'How many nodes there were.' },
    feasibleNodes: { type: new GraphQLNonNull(GraphQLInt), description: 'How many of them could take it.' },
    attempt: { type: new GraphQLNonNull(GraphQLInt), description: 'Number of the attempt, from 1.' },
    decidedAt: {
      type: new GraphQLNonNull(timeScalar),
      description: 'When it was decided.',
      resolve: ({ atMs }) => new Date(atMs).toISOString(),
    },
  },
});
