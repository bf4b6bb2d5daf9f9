/** What a field says about its cost; read when the cost of an operation is worked out. */
export interface CostHint {
  /** Points for each time that the field is resolved. Default: 1 where the field has fields of its own, else 0. */
  readonly points?: number;
  /** The argument that says how many objects lie below it. */
  readonly countedBy?: string;
  /** How many count where no argument says it. Default 1. */
  readonly count?: number;
  /** Most that the argument may say; the least is 1, and a list may be empty. What is beyond is refused. */
  readonly countMax?: number;
  /** The same for arguments that count nothing below the field. */
  readonly bounds?: Readonly<Record<string, number>>;
}

/** Most objects of one page. */
export const firstMax = 100;
/** Objects of a page that does not say how many. */
export const firstDefault = 20;

export const pageCost: { readonly cost: CostHint } = { cost: { points: 1, countedBy: 'first', countMax: firstMax } };

/** Counted already, where the objects below are. */
export const freeOfCharge: { readonly cost: CostHint } = { cost: { points: 0 } };
