import { readFile } from 'node:fs/promises';
import type { Caller, JwtIssuer } from '@tappaas/sdk';
import { OutboundAddresses } from '@tappaas/sdk/outbound';
import * as client from 'openid-client';
import { Agent, fetch } from 'undici';
import { callerOf } from './claims.js';
import { errors } from './errors.js';
import { refuseForeignNames, type ForeignNames } from './foreign-names.js';
import type { IssuerSettings } from './settings.js';

const callSecondsMax = 5;
const answerBytesMax = 262_144;
/** How long a provider's discovery document is cached. */
const believedMs = 600_000;

/** A configured provider. Its discovery document is read on first use, and again when the cached one is too old. */
export class Provider {
  readonly settings: IssuerSettings;
  readonly jwt: JwtIssuer;
  /** Clients for the host that the operator configured, and for all other hosts that the discovery document names. */
  readonly #own: Way;
  readonly #foreign: Way;
  readonly #nowMs: () => number;
  readonly #others: ForeignNames;
  #asking: Promise<client.Configuration> | undefined;
  #known: { readonly configuration: client.Configuration; readonly atMs: number } | undefined;

  constructor(
    settings: IssuerSettings,
    certificateAuthority: string | undefined,
    nowMs: () => number,
    others: ForeignNames = { users: [], groups: [] },
  ) {
    this.settings = settings;
    this.#others = others;
    const { issuer, allowedAddresses } = settings;
    this.jwt = { issuer, allowedAddresses, ...(certificateAuthority !== undefined && { certificateAuthority }) };
    this.#nowMs = nowMs;
    this.#own = wayOf(new OutboundAddresses({ allowedAddresses }), certificateAuthority);
    this.#foreign = wayOf(new OutboundAddresses({ allowedAddresses, isForeign: true }), certificateAuthority);
  }

  static async open(settings: IssuerSettings, nowMs: () => number, others: ForeignNames): Promise<Provider> {
    const { certificateAuthorityFile: file } = settings;
    return new Provider(settings, file === '' ? undefined : await readFile(file, 'utf8'), nowMs, others);
  }

  /** Audiences for which the provider's bearer tokens are accepted. */
  get audiences(): readonly string[] {
    const { clientId, cliClientId, audiences } = this.settings;
    return [clientId, ...(cliClientId === '' ? [] : [cliClientId]), ...audiences];
  }

  /** The caller for the claims of a verified token of this provider. @throws IDENTITY_OIDC_CLAIM_MISSING, IDENTITY_OIDC_CLAIM_FOREIGN */
  callerOf(claims: Readonly<Record<string, unknown>>): Caller {
    const caller = callerOf(claims, this.settings);
    refuseForeignNames(caller, this.settings, this.#others);
    return caller;
  }

  /** The client configuration from the discovery document. @throws IDENTITY_OIDC_PROVIDER_FAILED */
  async configuration(): Promise<client.Configuration> {
    if (this.#known !== undefined && this.#nowMs() - this.#known.atMs < believedMs) return this.#known.configuration;
    // Concurrent calls share one request, since every unauthenticated login attempt gets here.
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #ask(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.settings;
    const authentication = clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret.text());
    const configuration = await this.attempt('discovery', () =>
      client.discovery(new URL(issuer), clientId, undefined, authentication, {
        [client.customFetch]: this.#fetch,
        timeout: callSecondsMax,
      }),
    );
    configuration[client.customFetch] = this.#fetch;
    configuration.timeout = callSecondsMax;
    this.#known = { configuration, atMs: this.#nowMs() };
    return configuration;
  }

  /** Calls the provider; rethrows its refusals and converts other failures. @throws IDENTITY_OIDC_PROVIDER_FAILED */
  async attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause) {
      if (refusalOf(cause) !== undefined) throw cause;
      throw errors.IDENTITY_OIDC_PROVIDER_FAILED({ message: `provider ${this.settings.name}: ${what} did not work`, cause });
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#own.agent.destroy(), this.#foreign.agent.destroy()]);
  }

  /**
   * Calls only hosts named by the operator or by the discovery document, over https, never disallowed internal addresses, and follows no
   * redirects.
   */
  readonly #fetch: client.CustomFetch = async (text, options) => {
    const url = new URL(text);
    if (url.protocol !== 'https:') throw new TypeError(`expected an https address, found ${url.protocol}`);
    const { addresses, agent } = url.host === new URL(this.settings.issuer).host ? this.#own : this.#foreign;
    addresses.check(url);
    const { body, ...rest } = options;
    return fetch(url, { ...rest, body: (body ?? null) as string | null, redirect: 'manual', dispatcher: agent });
  };
}

interface Way {
  readonly addresses: OutboundAddresses;
  readonly agent: Agent;
}

function wayOf(addresses: OutboundAddresses, ca: string | undefined): Way {
  const connect = { lookup: addresses.lookup, ...(ca !== undefined && { ca }) };
  return { addresses, agent: new Agent({ connect, maxResponseSize: answerBytesMax, connections: 16 }) };
}

/** The error code of a provider's refusal; undefined for other failures. */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof client.ResponseBodyError) return error.error;
  return error instanceof client.AuthorizationResponseError ? error.error : undefined;
}

const noAnswers: ReadonlySet<unknown> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
]);

/** Whether a provider could not be reached, or its response violates the protocol: not the fault of the user who logs in. */
export function hasNotAnswered(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  // Network errors of `fetch` have no code; the library's errors about wrong arguments do.
  return noAnswers.has(code) || (error instanceof TypeError && code === undefined);
}
