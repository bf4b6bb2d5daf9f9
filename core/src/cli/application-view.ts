/** The parts of an Application that commands read. */
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
    /** The release that serves regardless of changes; empty: none. */
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

/** A condition of an object. */
export interface ConditionView {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

/** Returns the release that an application is pinned to. */
export const pinOf = ({ spec }: Pick<ApplicationView, 'spec'>): string | undefined => (spec.pin === '' ? undefined : spec.pin);

/** Returns the condition of a type if it is about the current spec. */
export function currentCondition(application: ApplicationView | undefined, type: string): ConditionView | undefined {
  const found = application?.status?.conditions?.find((condition) => condition.type === type);
  const generation = found?.observedGeneration ?? application?.status?.observedGeneration ?? 0;
  return generation >= (application?.metadata.generation ?? Number.POSITIVE_INFINITY) ? found : undefined;
}
