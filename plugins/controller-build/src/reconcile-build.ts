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
import type { SourceShelf } from './source-shelf.js';

/** What a build works with. */
export interface BuildParts {
  readonly builders: ReadonlyMap<string, Builder>;
  readonly shelf: SourceShelf;
  readonly imagesDirectory: string;
}

const outputLinesMax = 200;
const lineCharactersMax = 4096;

/** Rules that the schema cannot say. */
export function checkBuild(build: Immutable<BuildObject>): readonly Denial[] {
  return Object.keys(build.spec.parameters ?? {}).length > 64
    ? [deny({ field: 'spec.parameters', reason: 'FieldValueTooMany', message: 'has more than 64 entries' })]
    : [];
}

/** Builds once: an ended build rests for good, since its spec cannot change. A crash half-way builds again, into the same digest. */
export async function reconcileBuild(
  build: Immutable<BuildObject>,
  parts: BuildParts,
  context: ReconcileContext<typeof Build>,
): Promise<Outcome> {
  if (isEnded(build.status?.phase)) return;
  if (build.spec.cancelled) {
    await context.setStatus({ phase: 'Cancelled' }, [ready('False', 'Cancelled', 'the build was cancelled')]);
    return;
  }
  const startMs = context.clock.nowMs();
  const startTime = build.status?.startTime ?? new Date(startMs).toISOString();
  await context.setStatus({ phase: 'Running', startTime }, [ready('False', 'Running', `builder ${build.spec.builder} is at work`)]);
  const log: string[] = [];
  const ended = () => {
    const endMs = context.clock.nowMs();
    return { startTime, completionTime: new Date(endMs).toISOString(), durationMs: endMs - startMs, log };
  };
  try {
    const result = await runBuilder(build, parts, context, log);
    await context.setStatus(
      { phase: 'Succeeded', image: result.imageDigest, startedBy: result.startedBy, cached: result.cached, ...ended() },
      [ready('True', 'Built', `image ${result.imageDigest}`)],
    );
  } catch (error) {
    if (!isTapError(error) || error.spec.retry !== 'never') throw error;
    await context.setStatus({ phase: 'Failed', ...ended() }, [ready('False', 'BuildFailed', `${error.message}. ${error.spec.remedy}`)]);
  }
}

async function runBuilder(build: Immutable<BuildObject>, parts: BuildParts, context: ReconcileContext<typeof Build>, log: string[]) {
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
  return parts.shelf.unpacked(build.spec.source.digest, (sourceDirectory) =>
    builder.build(
      {
        sourceDirectory,
        imagesDirectory: parts.imagesDirectory,
        application: { namespace, name: build.spec.application || name },
        parameters: build.spec.parameters ?? {},
      },
      Object.assign(Object.create(context) as typeof context, { output }),
    ),
  );
}

const isEnded = (phase: string | undefined) => phase === 'Succeeded' || phase === 'Failed' || phase === 'Cancelled';

function ready(status: 'True' | 'False', reason: string, message: string): Condition {
  return { type: 'Ready', status, reason, message };
}
