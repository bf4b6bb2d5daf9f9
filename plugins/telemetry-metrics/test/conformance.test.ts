import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import telemetryMetrics from '../dist/index.js';

for (const { title, run } of conformance.plugin(() => load(telemetryMetrics))) test(title, (t) => t.notThrowsAsync(run));
