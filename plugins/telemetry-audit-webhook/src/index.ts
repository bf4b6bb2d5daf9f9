import { definePlugin, families, secret, Type } from '@tappaas/sdk';
import { allowedAddresses } from '@tappaas/sdk/outbound';
import { Receiver } from './receiver.js';

const config = Type.Object({
  url: Type.String({ format: 'uri', description: 'URL that lines are sent to, as application/x-ndjson; redirects are not followed.' }),
  token: Type.Optional(secret({ description: 'Sent as bearer token. Default: none is sent.' })),
  certificateAuthorityFile: Type.Optional(
    Type.String({ description: 'PEM file of the authority that signed the receiver’s certificate. Default: those of the system.' }),
  ),
  timeoutMs: Type.Integer({
    default: 4_000,
    minimum: 100,
    maximum: 5_000,
    description: 'Time after which a silent receiver counts as failed, ms.',
  }),
  allowedAddresses: allowedAddresses('the name of the receiver'),
  allowPlainHttp: Type.Boolean({ default: false, description: 'Send lines without TLS.' }),
});

/** Sends the audit log to a URL, in batches. */
export default definePlugin({
  id: 'telemetry-audit-webhook',
  stability: 'beta',
  config,
  example: { url: 'https://audit.example.com/lines' },
  setup(host, settings) {
    host.provide(
      families.auditSink,
      () => Receiver.open(settings),
      (receiver) => (receiver as Receiver).close(),
    );
  },
});
