import { credentialErrors } from '@tappaas/sdk';
import test from 'ava';
import { failureStatus } from '../../dist/api/answer/status.js';

test('a failure of a plugin names it, and one of what the platform itself provides names none', (t) => {
  const said = (plugin?: string) => {
    const error = credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'the token is not valid' });
    if (plugin !== undefined) error.plugin = plugin;
    const { message, details } = failureStatus(error);
    return [message, details?.['plugin']];
  };
  t.deepEqual(said('oidc'), ['plugin oidc: the token is not valid', 'oidc']);
  t.deepEqual(said('platform'), ['the token is not valid', undefined]);
  t.deepEqual(said(), ['the token is not valid', undefined]);
});
