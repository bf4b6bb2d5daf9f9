/** What commands read of an Application. */
export interface ApplicationView {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
  };
  readonly spec: {
    readonly processes: readonly { readonly name: string }[];
    /** The release that serves whatever is changed; empty: none. */
    readonly pin?: string;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly release?: string;
    readonly cluster?: string;
    readonly url?: string;
    readonly build?: string;
    readonly operation?: string;
    readonly processes?: readonly {
      readonly name: string;
      readonly desired: number;
      readonly ready: number;
      readonly updated: number;
      readonly restarts: number;
    }[];
    readonly conditions?: readonly ConditionView[];
  };
}

/** A condition of it. */
export interface ConditionView {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

/** The release that it is pinned to. */
export const pinOf = ({ spec }: Pick<ApplicationView, 'spec'>): string | undefined => (spec.pin === '' ? undefined : spec.pin);

/** The condition of a type, if it is about the present spec. */
export function currentCondition(application: ApplicationView | undefined, type: string): ConditionView | undefined {
  const found = application?.status?.conditions?.find((condition) => condition.type === type);
  const generation = found?.observedGeneration ?? application?.status?.observedGeneration ?? 0;
  return generation >= (application?.metadata.generation ?? Number.POSITIVE_INFINITY) ? found : undefined;
}
