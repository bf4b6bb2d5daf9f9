import type { Context, CredentialRegister } from '@tappaas/sdk';
import { credentialIdOf } from './certificate-identity.js';
import { nameOf } from './revocation.js';
import type { RevocationList } from './revocation-lists.js';
import type { Settings } from './settings.js';
import { readTrust, type Trust } from './trust-files.js';

type Lists = ReadonlyMap<string, RevocationList>;

/** Holds what is trusted now: the files are reloaded periodically, and an unusable file changes nothing. */
export class TrustKeeper {
  readonly #settings: Settings;
  readonly #credentials: CredentialRegister;
  #trust: Trust | undefined;
  #lists: Lists = new Map();

  constructor(settings: Settings, credentials: CredentialRegister) {
    this.#settings = settings;
    this.#credentials = credentials;
  }

  /** Reloads the files, and revokes newly revoked credentials. @throws IDENTITY_MTLS_FILE_UNUSABLE */
  async read({ log }: Pick<Context, 'log'>): Promise<void> {
    const { authorities: authoritiesFile, revocations } = this.#settings;
    const trust = await readTrust(authoritiesFile, revocations, this.#trust);
    if (trust === this.#trust) return;
    const before = this.#lists;
    const lists = new Map<string, RevocationList>();
    for (const [fingerprint256, certificate] of trust.authorities) {
      const list = await trust.lists?.of({ fingerprint256, certificate });
      if (list !== undefined) lists.set(fingerprint256, list);
      else if (trust.lists !== undefined) {
        log.warn('an authority has no revocation list, so every certificate that it has signed is refused', {
          authority: nameOf({ certificate }),
          file: revocations,
        });
      }
    }
    this.#trust = trust;
    this.#lists = lists;
    await this.#credentials.revoked(newlyRevoked(before, lists));
  }

  async look(context: Pick<Context, 'log'>): Promise<void> {
    await this.read(context).catch((error: unknown) =>
      context.log.error('the files of client certificates cannot be used; what they said before counts', { error }),
    );
  }

  get trust(): Trust | undefined {
    return this.#trust;
  }

  /** The PEM bundle for the listener's verification. */
  get bundle(): string {
    return [...(this.#trust?.authorities.values() ?? [])].join('\n');
  }
}

function newlyRevoked(before: Lists, now: Lists): readonly string[] {
  return [...now].flatMap(([fingerprint, { revoked }]) => {
    const known = before.get(fingerprint)?.revoked;
    return [...revoked].filter((serial) => known?.has(serial) !== true).map((serial) => credentialIdOf(fingerprint, serial));
  });
}
