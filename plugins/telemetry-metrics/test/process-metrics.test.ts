import test from 'ava';
import { processMetrics } from '../dist/process-metrics.js';

const facts = {
  usage: { userCPUTime: 1_500_000, systemCPUTime: 500_000 },
  memory: { rss: 1024, heapUsed: 512, external: 256 },
  upSeconds: 7,
  delay: { max: 0, percentile: () => Number.NaN },
};

test('processor time is told in seconds, user and system together', (t) => {
  t.regex(processMetrics(facts), /^process_cpu_seconds_total 2$/m);
});

test('a histogram without samples is told as 0, since NaN breaks scrapers', (t) => {
  t.regex(processMetrics(facts), /^nodejs_eventloop_delay_p99_seconds 0$/m);
  t.notRegex(processMetrics(facts), /NaN/);
});

test('every metric has its help and its type before its value', (t) => {
  const lines = processMetrics(facts).trimEnd().split('\n');
  for (let i = 0; i < lines.length; i += 3) {
    const name = lines[i + 2]?.split(' ')[0] ?? '';
    t.true(lines[i]?.startsWith(`# HELP ${name} `));
    t.true(lines[i + 1]?.startsWith(`# TYPE ${name} `));
  }
});
