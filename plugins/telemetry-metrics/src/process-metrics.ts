/** Measurements of the process at the time of the request. */
export interface ProcessFacts {
  readonly usage: { readonly userCPUTime: number; readonly systemCPUTime: number };
  readonly memory: { readonly rss: number; readonly heapUsed: number; readonly external: number };
  readonly upSeconds: number;
  /** Event loop delay in nanoseconds; NaN without samples. */
  readonly delay: { readonly max: number; percentile(percent: number): number };
}

/** Formats the process's metrics under the names used by Prometheus' client libraries. */
export function processMetrics({ usage, memory, upSeconds, delay }: ProcessFacts): string {
  const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
  return [
    metric('process_cpu_seconds_total', 'counter', 'User and system processor time.', (usage.userCPUTime + usage.systemCPUTime) / 1e6),
    metric('process_resident_memory_bytes', 'gauge', 'Resident memory.', memory.rss),
    metric('process_uptime_seconds', 'gauge', 'Time since the process started.', upSeconds),
    metric('nodejs_heap_used_bytes', 'gauge', 'JavaScript heap in use.', memory.heapUsed),
    metric('nodejs_external_memory_bytes', 'gauge', 'Memory of buffers and other native objects.', memory.external),
    metric('nodejs_eventloop_delay_p99_seconds', 'gauge', 'Event loop delay, 99th percentile since start.', seconds(delay.percentile(99))),
    metric('nodejs_eventloop_delay_max_seconds', 'gauge', 'Longest event loop delay since start.', seconds(delay.max)),
  ].join('');
}

function metric(name: string, type: 'counter' | 'gauge', help: string, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`;
}
