import test from 'ava';
import { conformance, fakeRuntime, fakeSecretStore, fakeStorageClass, load } from '@tappaas/testing';

const secrets = () => load(fakeSecretStore, { secrets: { 'shop/database': { user: 'shop', password: 'hush' } } }, { id: 'secrets' });
const existing = { store: 'secrets', path: 'shop/database' };
const absent = { store: 'secrets', path: 'shop/nothing' };

for (const { title, run } of conformance.secretStore(() => ({ plugin: secrets(), existing, absent }))) {
  test(`secret store: ${title}`, (t) => t.notThrowsAsync(run));
}
for (const { title, run } of conformance.runtime(() => load(fakeRuntime))) test(`runtime: ${title}`, (t) => t.notThrowsAsync(run));
for (const { title, run } of conformance.storageClass(() => load(fakeStorageClass)))
  test(`storage class: ${title}`, (t) => t.notThrowsAsync(run));
for (const { id, plugin } of [
  { id: 'secret store', plugin: secrets() },
  { id: 'runtime', plugin: load(fakeRuntime) },
  { id: 'storage class', plugin: load(fakeStorageClass) },
]) {
  for (const { title, run } of conformance.plugin(() => plugin)) test(`${id} as a plugin: ${title}`, (t) => t.notThrowsAsync(run));
}
