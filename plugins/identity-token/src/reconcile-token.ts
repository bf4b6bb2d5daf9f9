import type { Condition, CredentialRegister, Immutable, Outcome, ReconcileContext } from '@tappaas/sdk';
import { ApiToken, type ApiTokenObject } from './contract.js';
import { dayMs, type Settings } from './settings.js';
import { credentialIdOf } from './token-book.js';

type Token = Immutable<ApiTokenObject>;

/** Keeps conditions in step, tells at once of what is no longer good, and forgets what expired long ago. */
export class TokenKeeper {
  readonly #settings: Settings;
  readonly #credentials: CredentialRegister;
  /** Generation of each token that was told last; a change of the spec may narrow or end it. */
  readonly #told = new Map<string, number>();

  constructor(settings: Settings, credentials: CredentialRegister) {
    this.#settings = settings;
    this.#credentials = credentials;
  }

  async reconcile(token: Token, context: ReconcileContext<typeof ApiToken>): Promise<Outcome> {
    const { uid, name, generation } = token.metadata;
    const told = this.#told.get(uid);
    if (told !== undefined && told !== generation) await this.#credentials.revoked([credentialIdOf(token)]);
    this.#told.set(uid, generation);
    const nowMs = context.clock.nowMs();
    const endMs = token.spec.expiresAt === undefined ? Infinity : Date.parse(token.spec.expiresAt);
    const goneMs = endMs + this.#settings.expiredKeptDays * dayMs;
    if (goneMs <= nowMs) {
      await context.asPlugin.delete(ApiToken, { name }, { uid });
      return undefined;
    }
    await context.setStatus({}, [conditionOf(token, endMs <= nowMs)]);
    const nextMs = endMs > nowMs ? endMs : goneMs;
    return nextMs === Infinity ? undefined : { againAfterMs: nextMs - nowMs };
  }

  /** Runs when it is deleted, before it is gone. */
  async finalize(token: Token): Promise<undefined> {
    this.#told.delete(token.metadata.uid);
    await this.#credentials.revoked([credentialIdOf(token)]);
    return undefined;
  }
}

function conditionOf({ spec }: Token, isExpired: boolean): Condition {
  if (spec.sha256 === undefined) {
    return { type: 'Ready', status: 'False', reason: 'NotIssued', message: 'no secret was issued yet; POST …/issue makes one' };
  }
  return isExpired
    ? { type: 'Ready', status: 'False', reason: 'Expired', message: `it was good until ${spec.expiresAt ?? ''}; make another one` }
    : { type: 'Ready', status: 'True', reason: 'Issued', message: 'it is good' };
}
