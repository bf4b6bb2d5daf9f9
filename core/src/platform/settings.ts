import { Type } from '@tappaas/sdk';
import { defaultCiphers } from '../api/connection/tls-policy.js';
import { flowSection } from '../flow/flow-settings.js';
import { auditSection } from '../telemetry/audit/audit-settings.js';

const tlsSection = Type.Object(
  {
    certificate: Type.String({
      default: '',
      maxLength: 4096,
      description: 'PEM file of a certificate, with those up to its authority, for clients that ask for a name it has; empty: none.',
    }),
    key: Type.String({ default: '', maxLength: 4096, description: 'PEM file of its private key. Both are read again when they change.' }),
    minVersion: Type.Union([Type.Literal('TLSv1.2'), Type.Literal('TLSv1.3')], {
      default: 'TLSv1.2',
      description: 'Oldest TLS that is spoken.',
    }),
    ciphers: Type.Array(Type.String({ pattern: '^[A-Z0-9_-]+$' }), {
      default: defaultCiphers,
      minItems: 1,
      maxItems: 64,
      description: 'Ciphers that are spoken, best first, as OpenSSL calls them.',
    }),
  },
  { default: {}, description: 'How the API speaks TLS, and an operator’s own certificate.' },
);

/** The configuration's `api` section. */
const apiSection = Type.Object({
  host: Type.String({ default: '127.0.0.1', description: 'Address the API listens on; anything but loopback is reachable from outside.' }),
  port: Type.Integer({ default: 7443, minimum: 0, maximum: 65_535, description: 'Port of the API; 0 takes a free one.' }),
  issuer: Type.Optional(
    Type.String({
      pattern: '^https://[^/?#@]+(/[^?#]*[^/?#])?$',
      description:
        'Address that tokens signed by the platform name as their issuer; whoever verifies them finds the keys below it. Default: https://localhost and the port.',
    }),
  ),
  hosts: Type.Array(Type.String(), { default: [], maxItems: 100, description: 'Further names that the certificate is made for.' }),
  origins: Type.Array(Type.String({ pattern: '^https?://[^/?#@]+$' }), {
    default: [],
    maxItems: 100,
    description: 'Origins, such as https://console.example.com, whose web pages may read answers and open WebSockets.',
  }),
  graphqlIntrospection: Type.Boolean({
    default: false,
    description: 'Whether /graphql tells its schema, as development needs it; docs/reference/schema.graphql has it in any case.',
  }),
  graphqlDocuments: Type.String({
    default: '',
    description: 'JSON file of the documents that /graphql answers, text by SHA-256 hash; empty: it answers every document.',
  }),
  workers: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 64,
    description: 'Processes of their own that serve the API on its port; 0: the platform’s process serves it itself.',
  }),
  connectionsMax: Type.Integer({
    default: 10_000,
    minimum: 10,
    maximum: 1_000_000,
    description: 'Connections that each process which serves the API has at most, whatever they are for.',
  }),
  connectionsPerAddressMax: Type.Integer({
    default: 2_500,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'Connections from one address, or from one /64 of IPv6, in all processes together; raise it behind a load balancer that shows its own address.',
  }),
  strangersPerMinuteMax: Type.Integer({
    default: 600,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Requests of one address without a known credential that are answered 401, a minute and process; further ones get 429.',
  }),
  announceStopMs: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 60_000,
    description:
      'How long /readyz fails at a stop before connections are no longer taken, milliseconds; longer than a load balancer’s probe takes to notice.',
  }),
  tracedShare: Type.Number({
    default: 1,
    minimum: 0,
    maximum: 1,
    description:
      'Part of the requests that are traced while a plugin listens to telemetry.span, 0 to 1. A request whose traceparent header is not sampled is not.',
  }),
  askedTracesPerSecond: Type.Number({
    default: 1,
    minimum: 0,
    maximum: 10_000,
    description:
      'Traces a second that a caller can have beyond tracedShare by sampled traceparent headers, in each process, and ten times as many at once; 0: none.',
  }),
  flow: flowSection,
  tls: tlsSection,
  directory: Type.String({
    default: './data',
    description: 'Certificates, keys and kubeconfig; below the directory where the platform is started.',
  }),
});

/** Settings of the API as they are in force. */
export type ApiSettings = Type.Static<typeof apiSection>;

/** The sections of the configuration that are the platform's own, by name. */
export const platformSections = { api: apiSection, audit: auditSection };
