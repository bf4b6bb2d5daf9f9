import { definePlugin, families, platformServices, siteHeaders } from '@tappaas/sdk';
import { certificateIdentity } from './certificate-identity.js';
import { settingsSchema } from './settings.js';
import { TrustKeeper } from './trust-keeper.js';

const lookEveryMs = 2000;

/** Authenticates callers by client certificates on the API's listener. */
export default definePlugin({
  id: 'identity-mtls',
  stability: 'beta',
  config: settingsSchema,
  example: { authorities: './clients.pem', revocations: './clients.crl', frontProxy: { names: ['front-proxy'] } },
  needs: { credentials: platformServices.credentials },
  setup(host, settings, { credentials }) {
    const keeper = new TrustKeeper(settings, credentials);
    const { frontProxy } = settings;
    host.provide(families.authenticator, async (context) => {
      await keeper.read(context);
      return {
        reads: [
          ...siteHeaders,
          ...(frontProxy === undefined ? [] : [frontProxy.userHeader, frontProxy.groupHeader, frontProxy.tenantHeader]),
        ],
        clientAuthorities: () => keeper.bundle,
        authenticate: (presented, { clock }) =>
          presented.clientCertificate && keeper.trust && certificateIdentity(presented, settings, keeper.trust, clock.nowMs()),
      };
    });
    host.task({ name: 'files', on: 'every-replica', everyMs: lookEveryMs, run: (context) => keeper.look(context) });
  },
});
