import test from 'ava';
import { requestUri } from '../../../dist/telemetry/audit/request-uri.js';

const hidden = [
  ...'sig jwt auth pwd login_hint X-Amz-Signature X-Amz-Security-Token userPwd apiKey key id_token_hint client_secret'.split(' '),
  ...'SAMLart_ticket email e-mail username otp access_token state sid phone hmac SIG'.split(' '),
  `${'long'.repeat(30)}.pwd`,
];
const shown = [
  ...'limit continue labelSelector fieldSelector resourceVersion watch dryRun fieldManager user namespace verb design author'.split(' '),
  ...'signed keyboard container command tailLines propagationPolicy timeoutSeconds passive compass'.split(' '),
];

test('values under names that sound like credentials or like a person are left out, all others stay', (t) => {
  for (const name of hidden) t.is(requestUri('/x', `a=1&${name}=canary&b=2`), `/x?a=1&${name}=[redacted]&b=2`, name);
  for (const name of shown) t.is(requestUri('/x', `${name}=value`), `/x?${name}=value`, name);
});

test('a name that is encoded hides nothing, and one that cannot be decoded is taken for the worst', (t) => {
  t.is(requestUri('/x', '%73ig=canary&%E0%A4%A=canary&sig'), '/x?%73ig=[redacted]&%E0%A4%A=[redacted]&sig');
  t.is(requestUri('/x', 'sig=a=b'), '/x?sig=[redacted]');
});
