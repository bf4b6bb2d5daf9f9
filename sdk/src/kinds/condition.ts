import { Type } from 'typebox';

/** One statement about an object, as in every Kubernetes API. */
export const conditionSchema = Type.Object({
  type: Type.String({ description: 'Type of the condition, in CamelCase.' }),
  status: Type.Union([Type.Literal('True'), Type.Literal('False'), Type.Literal('Unknown')], { description: 'Whether it holds.' }),
  reason: Type.String({ description: 'One word in CamelCase, for programs.' }),
  message: Type.String({ description: 'For people: the present state, and the next step.' }),
  lastTransitionTime: Type.String({ format: 'date-time', description: 'When status last changed.' }),
  observedGeneration: Type.Optional(Type.Integer({ description: 'The generation of the spec that the condition is about.' })),
});

/** The conditions of an object; Ready is always among them once it was reconciled. */
export const conditionsSchema = Type.Array(conditionSchema, {
  description: 'Conditions of the object; Ready is always among them.',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
});

/** Schema keywords of a list whose entries are identified by `name`, so that two appliers can own different entries. */
export const listByName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] } as const;

/** Status fields that every kind has. */
export const commonStatus = {
  observedGeneration: Type.Optional(Type.Integer({ description: 'The generation of the spec that the status is about.' })),
  conditions: Type.Optional(conditionsSchema),
};

/** A schema for one of several words; a plain enum in OpenAPI. */
export const oneOf = <const T extends readonly string[]>(words: T, options: { description: string; default?: T[number] }) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...words], ...options });
