import type { MetricSample } from '@tappaas/sdk';
import { definePlugin, hooks } from '@tappaas/sdk';
import test from 'ava';
import { createMetricRegistry } from '../../dist/kernel/metrics/registry.js';
import { start } from './fixture.ts';

test('metrics are written as Prometheus reads them, values and labels escaped', (t) => {
  const registry = createMetricRegistry();
  registry
    .counter<'path'>({ name: 'requests_total', help: 'Requests\nof "all" kinds.', labels: ['path'] })
    .bind({ path: 'a"b\\c\nd' })
    .add(2);
  registry.gauge({ name: 'depth', help: 'Depth.' }).bind({}).set(-1.5);
  const size = registry.histogram<'of'>({ name: 'size_bytes', help: 'Sizes.', labels: ['of'], bounds: [1, 10] }).bind({ of: 'x' });
  for (const value of [1, 2, 10, 11]) size.observe(value);
  registry.onCollect(() => registry.gauge({ name: 'late', help: 'Set on demand.' }).bind({}).set(7));
  t.is(
    registry.text(),
    `# HELP depth Depth.
# TYPE depth gauge
depth -1.5
# HELP late Set on demand.
# TYPE late gauge
late 7
# HELP requests_total Requests\\nof "all" kinds.
# TYPE requests_total counter
requests_total{path="a\\"b\\\\c\\nd"} 2
# HELP size_bytes Sizes.
# TYPE size_bytes histogram
size_bytes_bucket{of="x",le="1"} 1
size_bytes_bucket{of="x",le="10"} 3
size_bytes_bucket{of="x",le="+Inf"} 4
size_bytes_sum{of="x"} 24
size_bytes_count{of="x"} 4
`,
  );
});

test('label sets beyond the limit are counted together as "other"', (t) => {
  const registry = createMetricRegistry();
  const metric = registry.counter<'user'>({ name: 'calls_total', help: 'Calls.', labels: ['user'], seriesMax: 2 });
  for (const user of ['a', 'b', 'c', 'd', 'a']) metric.bind({ user }).add();
  t.deepEqual(
    registry
      .text()
      .split('\n')
      .filter((line) => line.startsWith('calls')),
    ['calls_total{user="a"} 2', 'calls_total{user="b"} 1', 'calls_total{user="other"} 2'],
  );
});

test('a name is one metric: asking again gives the same, another kind is refused', (t) => {
  const registry = createMetricRegistry();
  const options = { name: 'x_total', help: 'X.' };
  registry.counter(options).bind({}).add();
  registry.counter(options).bind({}).add();
  t.true(registry.text().includes('x_total 2'));
  t.throws(() => registry.gauge(options), { message: /is a counter, not a gauge/ });
  t.throws(() => registry.counter({ name: 'x-y', help: '' }), { message: /is not letters, digits/ });
});

test('a plugin that taps telemetry.metric hears every change but those it makes itself', async (t) => {
  const received: MetricSample[] = [];
  const plugin = definePlugin({
    id: 'exporter',
    setup(host) {
      const count = host.counter({ name: 'exported_total', help: 'Exported.', labels: ['kind'], seriesMax: 10 });
      host.tap(hooks.telemetry.metric, {}, (sample) => {
        received.push(sample);
        count({ kind: sample.kind });
      });
    },
  });
  const { kernel } = await start([{ id: 'exporter', plugin }]);
  received.length = 0;
  kernel.metrics
    .counter<'a'>({ name: 'some_total', help: 'Some.', labels: ['a'] })
    .bind({ a: 'b' })
    .add(3);
  t.deepEqual(received, [{ name: 'some_total', kind: 'counter', help: 'Some.', labels: { a: 'b' }, value: 3 }]);
  t.true(kernel.metrics.text().includes('exported_total{kind="counter",plugin="exporter"}'));
  await kernel.stop();
});
