import { Type } from '@tappaas/sdk';

/** Status of a kind of a test whose objects are rendered: what the platform writes into it. */
export const renderedStatus = Type.Object({
  release: Type.Optional(Type.String()),
  operation: Type.Optional(Type.String()),
  observedGeneration: Type.Optional(Type.Integer()),
  conditions: Type.Optional(Type.Array(Type.Unknown())),
});
