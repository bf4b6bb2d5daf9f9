import test from 'ava';
import { alternativeNames } from '../../dist/api/client-certificate.js';

test('an alternative name with a comma in it stays one name', (t) => {
  t.deepEqual(alternativeNames('DNS:a.example.com, DNS:b.example.com, IP Address:127.0.0.1, URI:spiffe://a/b'), [
    'DNS:a.example.com',
    'DNS:b.example.com',
    'IP Address:127.0.0.1',
    'URI:spiffe://a/b',
  ]);
  t.deepEqual(alternativeNames('URI:"x, email:admin@example.com", DNS:a'), ['URI:x, email:admin@example.com', 'DNS:a']);
  t.deepEqual(alternativeNames('email:"a\\", DNS:evil"'), ['email:a", DNS:evil']);
  t.deepEqual(alternativeNames(''), []);
});
