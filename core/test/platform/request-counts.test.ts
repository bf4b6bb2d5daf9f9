import test from 'ava';
import { createMetricRegistry } from '../../dist/kernel/metrics/registry.js';
import type { AuditedOutcome, AuditedRequest } from '../../dist/ports/audit.js';
import { countRequests } from '../../dist/platform/audit/request-counts.js';

const requestOf = (tenant?: string) =>
  ({ verb: 'get', caller: { name: 'ann', groups: [], ...(tenant !== undefined && { tenant }) } }) as unknown as AuditedRequest;

test('requests are counted by tenant and by what came of them, and audit is told all the same', async (t) => {
  const metrics = createMetricRegistry();
  const ended: number[] = [];
  const audit = countRequests({ metrics }, async () => ({ wants: 'both', end: ({ status }) => void ended.push(status) }));
  const serve = async (tenant: string | undefined, outcome: Partial<AuditedOutcome>): Promise<void> => {
    const trail = await audit(requestOf(tenant));
    t.is(trail.wants, 'both');
    await trail.end({ status: 200, durationMs: 1, ...outcome });
  };
  await serve('acme', {});
  await serve('acme', { status: 101 });
  await serve('acme', { status: 403, errorCode: 'TAP_REQUEST_FORBIDDEN' });
  await serve('acme', { status: 403, errorCode: 'TAP_OBJECT_DENIED' });
  await serve('rival', { status: 429 });
  await serve('rival', { status: 404 });
  await serve('rival', { status: 503 });
  await serve(undefined, { status: 0 });
  await serve(undefined, { status: 499, errorCode: 'TAP_REQUEST_ABORTED' });
  await (await audit({ ...requestOf('acme'), isPart: true })).end({ status: 403, durationMs: 1 });
  await serve(undefined, { impersonated: { name: 'joe', groups: [], tenant: 'acme' } });
  const lines = metrics
    .text()
    .split('\n')
    .filter((line) => line.startsWith('tappaas_api_requests_total{'));
  const line = (tenant: string, result: string, count: number): string =>
    `tappaas_api_requests_total{tenant="${tenant}",result="${result}"} ${count}`;
  t.deepEqual(
    lines.toSorted(),
    [
      line('', 'gone', 2),
      line('acme', 'denied', 1),
      line('acme', 'ok', 3),
      line('acme', 'refused', 1),
      line('rival', 'failed', 1),
      line('rival', 'invalid', 1),
      line('rival', 'limited', 1),
    ].toSorted(),
  );
  t.deepEqual(ended, [200, 101, 403, 403, 429, 404, 503, 0, 499, 403, 200]);
});

test('tenants beyond the bound are counted together', (t) => {
  const metrics = createMetricRegistry();
  const audit = countRequests({ metrics }, () => ({ end: () => {} }));
  for (let n = 0; n < 8_000; n += 1) {
    const trail = audit(requestOf(`tenant-${n}`));
    if (!(trail instanceof Promise)) void trail.end({ status: 200, durationMs: 1 });
  }
  const series = metrics.text().match(/^tappaas_api_requests_total\{/gm) ?? [];
  t.true(series.length <= 6_001, `${series.length} series`);
  t.regex(metrics.text(), /tappaas_api_requests_total\{tenant="other",result="other"\} 2000/);
});
