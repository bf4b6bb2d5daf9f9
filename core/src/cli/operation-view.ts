/** The parts of an Operation that commands read. */
export interface OperationView {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly creationTimestamp: string };
  readonly spec: {
    readonly verb: string;
    readonly target: { readonly kind: string; readonly name: string; readonly generation?: number };
    readonly requestId?: string;
    readonly cancelled?: boolean;
  };
  readonly status?: {
    readonly phase?: string;
    readonly percent?: number;
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly error?: string;
    readonly result?: Readonly<Record<string, string>>;
    readonly steps?: readonly StepView[];
  };
}

/** A step of an Operation. */
export interface StepView {
  readonly name: string;
  readonly phase: string;
  readonly percent?: number;
  readonly startTime?: string;
  readonly completionTime?: string;
  readonly message?: string;
}

/** Whether an operation has ended. */
export const isOver = (operation: OperationView | undefined): boolean => operation?.status?.completionTime !== undefined;

/** Duration of a step; until `nowMs` if it is still running. */
export function tookMs({ startTime, completionTime }: Pick<StepView, 'startTime' | 'completionTime'>, nowMs: number): number | undefined {
  if (startTime === undefined) return undefined;
  return Math.max(0, (completionTime === undefined ? nowMs : Date.parse(completionTime)) - Date.parse(startTime));
}
