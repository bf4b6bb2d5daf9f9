/** What a field declares about its cost; see cost.ts. */
export interface CostHint {
  /** Points for each time the field is resolved. Default: 1 for a field with selections, else 0. */
  readonly points?: number;
  /** Name of the argument with the number of objects below the field. */
  readonly countedBy?: string;
  /** Number of objects below a field without such an argument. Default 1. */
  readonly count?: number;
  /** Maximum of that argument; the minimum is 1, or 0 for the length of a list. Values outside are rejected. */
  readonly countMax?: number;
  /** Maximums of arguments that do not count objects. */
  readonly bounds?: Readonly<Record<string, number>>;
}

/** Maximum objects of one page. */
export const firstMax = 100;
/** Size of a page without the argument `first`. */
export const firstDefault = 20;

export const pageCost: { readonly cost: CostHint } = { cost: { points: 1, countedBy: 'first', countMax: firstMax } };

/** For fields whose objects are already counted by a field above. */
export const freeOfCharge: { readonly cost: CostHint } = { cost: { points: 0 } };
