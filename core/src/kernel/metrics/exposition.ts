import type { Strings } from '@tappaas/sdk';
import type { Family } from './family.js';
import { BucketSeries, type NumberSeries } from './series.js';

/** Formats metrics in the Prometheus text exposition format 0.0.4. @source https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function exposition(families: readonly (Family<string, NumberSeries> | Family<string, BucketSeries>)[]): string {
  const lines: string[] = [];
  for (const family of families.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (family.series.size === 0) continue;
    lines.push(`# HELP ${family.name} ${escape(family.help)}`, `# TYPE ${family.name} ${family.kind}`);
    for (const { labels, series } of family.series.values()) {
      if (series instanceof BucketSeries) lines.push(...histogramLines(family.name, labels, series));
      else lines.push(`${family.name}${labelText(labels)} ${number(series.value)}`);
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function histogramLines(name: string, labels: Strings, series: BucketSeries): readonly string[] {
  let below = 0;
  const buckets = [...series.bounds, Number.POSITIVE_INFINITY].map((bound, index) => {
    below += series.counts[index] ?? 0;
    return `${name}_bucket${labelText({ ...labels, le: number(bound) })} ${below}`;
  });
  return [...buckets, `${name}_sum${labelText(labels)} ${number(series.sum)}`, `${name}_count${labelText(labels)} ${series.count}`];
}

const number = (value: number): string => (Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN');
const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function labelText(labels: Strings): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escape(value).replaceAll('"', '\\"')}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}
