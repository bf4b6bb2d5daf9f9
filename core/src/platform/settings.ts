import { Type } from '@tappaas/sdk';
import { defaultCiphers } from '../api/connection/tls-policy.js';
import { flowSection } from '../flow/flow-settings.js';
import { auditSection } from '../telemetry/audit/audit-settings.js';

const tlsSection = Type.Object(
  {
    certificate: Type.String({
      default: '',
      maxLength: 4096,
      description: 'PEM file of a certificate and its chain, used for clients that ask for one of its names; empty: none.',
    }),
    key: Type.String({
      default: '',
      maxLength: 4096,
      description: 'PEM file of the certificate’s private key. Both files are read again when they change.',
    }),
    minVersion: Type.Union([Type.Literal('TLSv1.2'), Type.Literal('TLSv1.3')], {
      default: 'TLSv1.2',
      description: 'Oldest TLS version that is accepted.',
    }),
    ciphers: Type.Array(Type.String({ pattern: '^[A-Z0-9_-]+$' }), {
      default: defaultCiphers,
      minItems: 1,
      maxItems: 64,
      description: 'Accepted ciphers by their OpenSSL names, best first.',
    }),
  },
  { default: {}, description: 'TLS settings of the API, and an operator’s own certificate.' },
);

/** The `api` section of the configuration. */
const apiSection = Type.Object({
  host: Type.String({ default: '127.0.0.1', description: 'Address the API listens on; anything but loopback is reachable from outside.' }),
  port: Type.Integer({ default: 7443, minimum: 0, maximum: 65_535, description: 'Port of the API; 0 takes a free one.' }),
  issuer: Type.Optional(
    Type.String({
      pattern: '^https://[^/?#@]+(/[^?#]*[^/?#])?$',
      description:
        'Issuer URL of tokens that the platform signs; verifiers find the keys below it. Default: https://localhost and the port.',
    }),
  ),
  hosts: Type.Array(Type.String(), { default: [], maxItems: 100, description: 'Further host names in the certificate.' }),
  origins: Type.Array(Type.String({ pattern: '^https?://[^/?#@]+$' }), {
    default: [],
    maxItems: 100,
    description: 'Origins, such as https://console.example.com, whose web pages may read responses and open WebSockets.',
  }),
  graphqlIntrospection: Type.Boolean({
    default: false,
    description:
      'Whether /graphql answers introspection, as development needs it; docs/reference/schema.graphql has the schema in any case.',
  }),
  graphqlDocuments: Type.String({
    default: '',
    description: 'JSON file of the documents that /graphql accepts, text by SHA-256 hash; empty: it accepts every document.',
  }),
  workers: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 64,
    description: 'Number of separate processes that serve the API on its port; 0: the platform’s process serves it itself.',
  }),
  connectionsMax: Type.Integer({
    default: 10_000,
    minimum: 10,
    maximum: 1_000_000,
    description: 'Maximum number of connections of each process that serves the API, whatever they are for.',
  }),
  connectionsPerAddressMax: Type.Integer({
    default: 2_500,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'Maximum number of connections from one address, or from one IPv6 /64, in all processes together; raise it behind a load balancer that connects from its own address.',
  }),
  strangersPerMinuteMax: Type.Integer({
    default: 600,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Unauthenticated requests per minute, address and process that are answered with 401; further ones get 429.',
  }),
  announceStopMs: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 60_000,
    description:
      'How long /readyz fails at shutdown before new connections are refused, in milliseconds; longer than a load balancer’s probe takes to notice.',
  }),
  tracedShare: Type.Number({
    default: 1,
    minimum: 0,
    maximum: 1,
    description:
      'Share of the requests that are traced while a plugin listens to telemetry.span, 0 to 1. A request whose traceparent header is not sampled is not traced.',
  }),
  askedTracesPerSecond: Type.Number({
    default: 1,
    minimum: 0,
    maximum: 10_000,
    description:
      'Traces per second that a caller can request beyond tracedShare with sampled traceparent headers, in each process, and ten times as many in a burst; 0: none.',
  }),
  flow: flowSection,
  tls: tlsSection,
  directory: Type.String({
    default: './data',
    description: 'Directory of certificates, keys and the kubeconfig; relative to the directory where the platform is started.',
  }),
});

/** The API settings in force. */
export type ApiSettings = Type.Static<typeof apiSection>;

/** The platform's own sections of the configuration, by name. */
export const platformSections = { api: apiSection, audit: auditSection };
