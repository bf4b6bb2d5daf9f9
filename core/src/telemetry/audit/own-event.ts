import { administratorsGroup, platformEngine } from '@tappaas/sdk';
import { eventText } from './event-text.js';

const path = '/audit';
const removal = 'tappaas.dev/audit-removes-before';

const platform = Object.freeze({ name: 'system:platform', groups: Object.freeze([administratorsGroup]) });

/** Makes a function that creates events about the log itself: its starts and stops, and every known gap. */
export function ownEvents(chain: string, nowMs: () => number): (verb: string, facts: Readonly<Record<string, string>>) => string {
  let made = 0;
  return (verb, facts) => {
    const atMs = nowMs();
    const request = {
      requestId: `${chain}-audit-${atMs.toString(36)}-${(made += 1)}`,
      receivedAtMs: atMs,
      method: '',
      path,
      query: '',
      engine: platformEngine,
      verb,
      caller: platform,
      remoteAddress: '',
      userAgent: 'tappaas',
    };
    const annotations = new Map(Object.entries(facts).map(([name, value]) => [`tappaas.dev/${name}`, value]));
    return eventText({ level: 'Metadata', stage: 'ResponseComplete', atMs, request, state: { status: 200, annotations } });
  };
}

/** Returns the number before which an event of the platform announces the removal of lines; events of callers never count. */
export function removalIn(event: string): number | undefined {
  if (!event.includes(`"${removal}"`)) return undefined;
  const { user, requestURI, annotations } = JSON.parse(event) as {
    readonly user?: { readonly username?: string };
    readonly requestURI?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  const before = user?.username === platform.name && requestURI === path ? Number(annotations?.[removal]) : Number.NaN;
  return Number.isSafeInteger(before) ? before : undefined;
}
