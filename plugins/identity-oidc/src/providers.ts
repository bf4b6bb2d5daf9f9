import { errors } from './errors.js';
import { foreignNames, refuseSharedNames } from './foreign-names.js';
import { Provider } from './provider.js';
import type { Settings } from './settings.js';
import { refuseContradictoryTenants } from './tenants.js';

/** The configured providers, by name and by issuer. */
export class Providers {
  readonly #byName: ReadonlyMap<string, Provider>;
  readonly #byIssuer: ReadonlyMap<string, Provider>;

  constructor(providers: readonly Provider[]) {
    this.#byName = new Map(providers.map((provider) => [provider.settings.name, provider]));
    this.#byIssuer = new Map(providers.map((provider) => [provider.settings.issuer, provider]));
  }

  /** @throws IDENTITY_OIDC_ISSUER_TWICE, IDENTITY_OIDC_NAMES_SHARED, IDENTITY_OIDC_TENANT_CONTRADICTORY */
  static async open({ issuers }: Settings, nowMs: () => number): Promise<Providers> {
    refuseTwice(issuers, 'name');
    // Tokens name only their issuer, so two clients of one issuer could not be distinguished.
    refuseTwice(issuers, 'issuer');
    refuseSharedNames(issuers);
    refuseContradictoryTenants(issuers);
    return new Providers(await Promise.all(issuers.map((issuer) => Provider.open(issuer, nowMs, foreignNames(issuer, issuers)))));
  }

  get all(): readonly Provider[] {
    return [...this.#byName.values()];
  }

  ofIssuer(issuer: string): Provider | undefined {
    return this.#byIssuer.get(issuer);
  }

  find(name: string): Provider | undefined {
    return this.#byName.get(name);
  }

  /** The provider with this name; without a name, the first. @throws IDENTITY_OIDC_ISSUER_UNKNOWN */
  of(name: string | undefined): Provider {
    const found = name === undefined || name === '' ? this.all[0] : this.#byName.get(name);
    if (found !== undefined) return found;
    throw errors.IDENTITY_OIDC_ISSUER_UNKNOWN({
      message: `there is no provider "${name ?? ''}"; there are ${[...this.#byName.keys()].join(', ')}`,
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((provider) => provider.close()));
  }
}

function refuseTwice(issuers: Settings['issuers'], part: 'name' | 'issuer'): void {
  const configured = issuers.map((each) => each[part]);
  const twice = configured.find((each, index) => configured.indexOf(each) !== index);
  if (twice !== undefined) throw errors.IDENTITY_OIDC_ISSUER_TWICE({ message: `issuers: the ${part} "${twice}" stands there twice` });
}
