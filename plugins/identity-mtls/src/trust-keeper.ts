import type { Context, CredentialRegister } from '@tappaas/sdk';
import { credentialIdOf } from './certificate-identity.js';
import type { Settings } from './settings.js';
import { readTrust, type Trust } from './trust-files.js';

/** What is trusted now: files are read again now and then, and a file that cannot be used changes nothing. */
export class TrustKeeper {
  readonly #settings: Settings;
  readonly #credentials: CredentialRegister;
  #trust: Trust | undefined;

  constructor(settings: Settings, credentials: CredentialRegister) {
    this.#settings = settings;
    this.#credentials = credentials;
  }

  /** @throws IDENTITY_MTLS_FILE_UNUSABLE */
  async read(): Promise<void> {
    const before = this.#trust;
    this.#trust = await readTrust(this.#settings.authorities, this.#settings.revocations, before);
    if (this.#trust !== before) await this.#credentials.revoked(newlyRevoked(before, this.#trust));
  }

  async look({ log }: Pick<Context, 'log'>): Promise<void> {
    await this.read().catch((error: unknown) =>
      log.error('the files of client certificates cannot be used; what they said before counts', { error }),
    );
  }

  get trust(): Trust | undefined {
    return this.#trust;
  }

  /** The bundle as the listener verifies by it. */
  get bundle(): string {
    return [...(this.#trust?.authorities.values() ?? [])].map(({ pem }) => pem).join('\n');
  }
}

function newlyRevoked(before: Trust | undefined, now: Trust): readonly string[] {
  return [...now.authorities.values()].flatMap(({ fingerprint256, revoked = new Set<string>() }) => {
    const known = before?.authorities.get(fingerprint256)?.revoked;
    return [...revoked].filter((serial) => known?.has(serial) !== true).map((serial) => credentialIdOf(fingerprint256, serial));
  });
}
