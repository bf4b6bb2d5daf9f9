import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type AuditLine, type AuditSink, type AuditWritten, type Context, type Secret } from '@tappaas/sdk';
import { AddressRefused, OutboundAddresses, type ResolveName } from '@tappaas/sdk/outbound';
import { errors } from './errors.js';

export interface ReceiverSettings {
  readonly url: string;
  readonly token?: Secret;
  readonly certificateAuthorityFile?: string;
  readonly timeoutMs: number;
  readonly allowedAddresses: readonly string[];
  readonly allowPlainHttp: boolean;
}

const answerBytesMax = 64 * 1024;

/** Sends lines unchanged, one POST per batch; the platform repeats a batch until it is accepted. */
export class Receiver implements AuditSink {
  readonly #url: URL;
  readonly #settings: ReceiverSettings;
  readonly #agent: HttpAgent;
  readonly #authority: string | undefined;

  private constructor(url: URL, settings: ReceiverSettings, { lookup }: OutboundAddresses, authority: string | undefined) {
    this.#url = url;
    this.#settings = settings;
    this.#authority = authority;
    const options = { keepAlive: true, maxSockets: 1, lookup };
    this.#agent = url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** Validates the settings. @throws TELEMETRY_AUDIT_WEBHOOK_REFUSED */
  static async open(settings: ReceiverSettings, resolve?: ResolveName): Promise<Receiver> {
    const url = new URL(settings.url);
    if (url.protocol !== 'https:' && !settings.allowPlainHttp) {
      throw errors.TELEMETRY_AUDIT_WEBHOOK_REFUSED({
        message: 'the receiver must speak https, unless allowPlainHttp says otherwise',
        field: 'config.url',
      });
    }
    if (url.username !== '' || url.password !== '') {
      throw errors.TELEMETRY_AUDIT_WEBHOOK_REFUSED({ message: 'the url must not carry credentials; write a token', field: 'config.url' });
    }
    const addresses = reachable(url, settings.allowedAddresses, resolve);
    const { certificateAuthorityFile: file } = settings;
    return new Receiver(url, settings, addresses, file === undefined ? undefined : await readFile(file, 'utf8'));
  }

  async write(lines: readonly AuditLine[], { signal }: Context): Promise<AuditWritten> {
    const [first] = lines;
    const last = lines.at(-1);
    if (first === undefined || last === undefined) return {};
    const body = `${lines.map(({ text }) => text).join('\n')}\n`;
    const status = await this.#post(body, `${first.chain}-${first.sequence}-${last.sequence}`, signal).catch((error: unknown) => {
      if (error instanceof AddressRefused) throw refused(error);
      const why = error instanceof Error ? error.message : String(error);
      throw errors.TELEMETRY_AUDIT_WEBHOOK_FAILED({ message: `${this.#url.host} took no audit lines: ${why}`, cause: error });
    });
    if (status >= 200 && status < 300) return {};
    throw errors.TELEMETRY_AUDIT_WEBHOOK_FAILED({ message: `${this.#url.host} answered ${status} to audit lines` });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Redirects count as failures: only the operator decides where the log is sent. */
  #post(body: string, key: string, signal: AbortSignal): Promise<number> {
    const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    const { timeoutMs, token } = this.#settings;
    const headers = {
      'content-type': 'application/x-ndjson',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': key,
      ...(token !== undefined && { authorization: `Bearer ${token.text()}` }),
    };
    const authority = this.#authority === undefined ? {} : { ca: this.#authority };
    return new Promise((resolve, reject) => {
      const outgoing = send(this.#url, { method: 'POST', headers, agent: this.#agent, timeout: timeoutMs, signal, ...authority });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      outgoing.on('error', reject);
      outgoing.on('response', (answer) => void readAway(answer).then(() => resolve(answer.statusCode ?? 0), reject));
      outgoing.end(body);
    });
  }
}

function reachable(url: URL, allowedAddresses: readonly string[], resolve?: ResolveName): OutboundAddresses {
  try {
    const addresses = new OutboundAddresses({ allowedAddresses }, resolve);
    addresses.check(url);
    return addresses;
  } catch (error) {
    throw error instanceof AddressRefused ? refused(error) : unusable(error);
  }
}

function refused(error: AddressRefused): Error {
  const message = `the receiver cannot be there: ${error.message}; add it to allowedAddresses if it is meant`;
  return errors.TELEMETRY_AUDIT_WEBHOOK_REFUSED({ message, field: 'config.url' });
}

function unusable(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return errors.TELEMETRY_AUDIT_WEBHOOK_REFUSED({ message, field: 'config.allowedAddresses' });
}

/** Discards the response's body; it is read so that the connection can be reused. */
async function readAway(answer: IncomingMessage): Promise<void> {
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > answerBytesMax) break;
  }
}
