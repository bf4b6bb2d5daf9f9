import { fieldIs, type Immutable } from '@tappaas/sdk';
import { Session, type SessionObject } from './contract.js';
import { endSession, type SessionAudit } from './recorded-sessions.js';

type Known = Immutable<SessionObject>;

/** Maximum number of listed sessions per subject; more than can ever be open at once. */
const listedMax = 10_000;

export interface Opened {
  readonly session: Known;
  /** The session that the same browser had before. */
  readonly replaced: Known | undefined;
  readonly sessionsMax: number;
}

/** Ends the sessions that a new one replaces: the browser's previous session, and the user's oldest sessions beyond the limit. */
export async function endSurplus({ session, replaced, sessionsMax }: Opened, audited: SessionAudit): Promise<void> {
  const { issuer, subject } = session.spec;
  const others: Known[] = [];
  for await (const each of audited.context.asPlugin.list(Session, { fields: fieldIs('spec.subject', subject), itemsMax: listedMax })) {
    const isOther =
      each.spec.issuer === issuer && each.metadata.uid !== session.metadata.uid && each.metadata.uid !== replaced?.metadata.uid;
    if (isOther && each.metadata.deletionTimestamp === undefined) others.push(each);
  }
  const oldestFirst = others.toSorted((one, other) => Date.parse(one.spec.expiresAt) - Date.parse(other.spec.expiresAt));
  const surplus = oldestFirst.slice(0, Math.max(0, others.length + 1 - sessionsMax));
  if (replaced !== undefined) await endSession(replaced, 'the browser has logged in again', audited);
  for (const each of surplus) await endSession(each, 'the person has logged in too often besides', audited);
}
