import test from 'ava';
import { createMetricRegistry } from '../../dist/kernel/metrics/registry.js';
import type { Kernel } from '../../dist/kernel/kernel.js';
import type { ServedKind } from '../../dist/ports/engine.js';
import { countDeprecated } from '../../dist/platform/served/deprecated-use.js';

const widgets = { group: 'acme.dev', version: 'v1beta1', plural: 'widgets' } as ServedKind;

test('who still asks for a deprecated version is counted by name and tenant', (t) => {
  const metrics = createMetricRegistry();
  const count = countDeprecated({ metrics } as Kernel);
  count(widgets, { name: 'ann', groups: [], tenant: 'acme' });
  count(widgets, { name: 'ann', groups: [], tenant: 'acme' });
  count(widgets, { name: 'ann', groups: [] });
  const lines = metrics.text().split('\n');
  const line = (principal: string) =>
    `tappaas_api_deprecated_requests_total{group="acme.dev",version="v1beta1",plural="widgets",principal="${principal}"}`;
  t.true(lines.includes(`${line('acme/ann')} 2`), lines.join('\n'));
  t.true(lines.includes(`${line('ann')} 1`), lines.join('\n'));
});

test('callers beyond the bound are counted together', (t) => {
  const metrics = createMetricRegistry();
  const count = countDeprecated({ metrics } as Kernel);
  for (let n = 0; n < 2_000; n += 1) count(widgets, { name: `caller-${n}`, groups: [] });
  const series = metrics.text().match(/^tappaas_api_deprecated_requests_total\{/gm) ?? [];
  t.true(series.length <= 1_001, `${series.length} series`);
});
