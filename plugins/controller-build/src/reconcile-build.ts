import {
  deny,
  isTapError,
  type Builder,
  type Condition,
  type Denial,
  type Immutable,
  type Outcome,
  type ReconcileContext,
} from '@tappaas/sdk';
import type { Build, BuildObject } from '@tappaas/sdk/kinds';
import { sourceErrors } from './errors.js';
import { followCancellation } from './cancellation.js';
import type { SourceStore } from './source-store.js';

/** What a build needs. */
export interface BuildParts {
  readonly builders: ReadonlyMap<string, Builder>;
  readonly store: SourceStore;
  readonly imagesDirectory: string;
}

const outputLinesMax = 200;
const lineCharactersMax = 4096;

/** Validation that the schema cannot express. */
export function checkBuild(build: Immutable<BuildObject>): readonly Denial[] {
  return Object.keys(build.spec.parameters ?? {}).length > 64
    ? [deny({ field: 'spec.parameters', reason: 'FieldValueTooMany', message: 'has more than 64 entries' })]
    : [];
}

/**
 * Runs a build once. Its input is immutable, so an ended build never runs again, unless it was cancelled and is requested again. A crash
 * half-way builds again, into the same digest.
 */
export async function reconcileBuild(
  build: Immutable<BuildObject>,
  parts: BuildParts,
  context: ReconcileContext<typeof Build>,
): Promise<Outcome> {
  const { phase, startTime: begun } = build.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed' || (phase === 'Cancelled' && build.spec.cancelled)) return;
  if (build.spec.cancelled) {
    await context.setStatus({ phase: 'Cancelled' }, [wasCancelled]);
    return;
  }
  const startMs = context.clock.nowMs();
  const startTime = (phase === 'Running' ? begun : undefined) ?? new Date(startMs).toISOString();
  await context.setStatus({ phase: 'Running', startTime }, [ready('False', 'Running', `builder ${build.spec.builder} is at work`)]);
  const log: string[] = [];
  const ended = () => {
    const endMs = context.clock.nowMs();
    return { startTime, completionTime: new Date(endMs).toISOString(), durationMs: endMs - startMs, log };
  };
  const cancellation = followCancellation(build, context);
  try {
    const result = await runBuilder(build, parts, context, { log, cancelled: cancellation.signal });
    await context.setStatus(
      { phase: 'Succeeded', image: result.imageDigest, startedBy: result.startedBy, cached: result.cached, ...ended() },
      [ready('True', 'Built', `image ${result.imageDigest}`)],
    );
  } catch (error) {
    if (cancellation.signal.aborted) {
      if (!cancellation.isCancelled) await context.setStatus({ phase: 'Cancelled', ...ended() }, [wasCancelled]);
      return;
    }
    if (!isTapError(error) || error.spec.retry !== 'never') throw error;
    await context.setStatus({ phase: 'Failed', ...ended() }, [ready('False', 'BuildFailed', `${error.message}. ${error.spec.remedy}`)]);
  } finally {
    cancellation.leave();
  }
}

async function runBuilder(
  build: Immutable<BuildObject>,
  parts: BuildParts,
  context: ReconcileContext<typeof Build>,
  { log, cancelled }: { readonly log: string[]; readonly cancelled: AbortSignal },
) {
  const builder = parts.builders.get(build.spec.builder);
  if (builder === undefined) {
    const loaded = [...parts.builders.keys()].toSorted().join(', ') || 'none';
    throw sourceErrors.CONTROLLER_BUILD_BUILDER_UNKNOWN({
      message: `no builder "${build.spec.builder}" is loaded; loaded: ${loaded}`,
      field: 'spec.builder',
    });
  }
  const output = (line: string) => {
    log.push(line.slice(0, lineCharactersMax));
    if (log.length > outputLinesMax) log.shift();
  };
  const { name, namespace } = build.metadata;
  const run = (sourceDirectory: string) =>
    builder.build(
      {
        sourceDirectory,
        imagesDirectory: parts.imagesDirectory,
        application: { namespace, name: build.spec.application || name },
        parameters: build.spec.parameters ?? {},
      },
      Object.assign(Object.create(context) as typeof context, { output, cancelled }),
    );
  const { digest } = build.spec.source;
  return parts.store.unpacked({ digest, namespace }, run, AbortSignal.any([context.signal, cancelled]));
}

const wasCancelled = ready('False', 'Cancelled', 'the build was cancelled; set its spec.cancelled to false to build it after all');

function ready(status: 'True' | 'False', reason: string, message: string): Condition {
  return { type: 'Ready', status, reason, message };
}
