import { definePlugin, families, hooks, platformServices } from '@tappaas/sdk';
import { checkToken, completeToken } from './admission.js';
import { ApiToken } from './contract.js';
import { issueAction } from './issue.js';
import { LastUses } from './last-uses.js';
import { TokenKeeper } from './reconcile-token.js';
import { Namespaces } from './scope.js';
import { settingsSchema } from './settings.js';
import { authenticateToken } from './token-book.js';
import { ownerClaims } from './owner-claims.js';

const usesWrittenEveryMs = 60_000;

/** API tokens as objects: a token never has more rights than its creator. */
export default definePlugin({
  id: 'identity-token',
  stability: 'beta',
  config: settingsSchema,
  example: {},
  needs: { credentials: platformServices.credentials, audit: platformServices.audit },
  permissions: {
    resources: [
      { kind: ApiToken, verbs: ['get', 'list', 'watch', 'update', 'delete'] },
      { kind: Namespaces, verbs: ['get'] },
    ],
    // The user of the first administrator's own tokens; other authenticators may not use that name.
    identity: { users: ['admin'] },
  },
  setup(host, settings, { credentials, audit }) {
    const uses = new LastUses();
    const keeper = new TokenKeeper(settings, credentials, audit);
    const issuer = `system:plugin:${host.id}`;
    const kinds = [ApiToken];
    host.kind(ApiToken);
    host.tap(hooks.admission.mutate, { kinds }, (request, { clock }) => completeToken(request, settings, clock));
    host.tap(hooks.admission.validate, { kinds }, (request, context) => checkToken(request, settings, issuer, context));
    host.tap(hooks.admission.claim, { kinds }, (token) => ownerClaims(token, settings.tokensPerPersonMax));
    host.action(issueAction);
    host.provide(families.authenticator, () => ({
      authenticate: (presented, context) => authenticateToken(presented, context, uses),
    }));
    host.controller({
      kind: ApiToken,
      reconcile: (token, context) => keeper.reconcile(token, context),
      finalize: (token, context) => keeper.finalize(token, context),
    });
    host.task({ name: 'last-uses', on: 'every-replica', everyMs: usesWrittenEveryMs, run: (context) => uses.write(context) });
  },
});
