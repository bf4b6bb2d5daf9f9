import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import { issueAuthority } from '../../../core/dist/api/certificate-issuer.js';
import identityMtls from '../dist/index.js';

const scratch = mkdtempSync(join(tmpdir(), 'identity-mtls-'));
const authorities = join(scratch, 'clients.pem');
test.before(async () => writeFile(authorities, (await issueAuthority(Date.now())).certificate));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const make = () => load(identityMtls, { authorities }, { id: 'certificates' });
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));
