import type { ServedAction, ServedSubresource } from './contributions.js';
import { answerObjects, findCall, type Objects } from './object-router.js';
import type { RouterRoute } from './router.js';

/** What answers parts of objects in place of the engine. */
export interface PartHandlers {
  readonly actions: () => readonly ServedAction[];
  readonly subresources: () => readonly ServedSubresource[];
}

/** Routes of everything that is about objects. */
export function objectRoutes(objects: Objects, _: PartHandlers): readonly RouterRoute[] {
  return [
    {
      path: /^\/apis?\/./,
      isMeant: ({ info }) => info.target !== undefined,
      answer: async (exchange) => {
        const { target } = exchange.info;
        if (target !== undefined) await answerObjects(objects, findCall(objects, exchange, target));
      },
    },
  ];
}
