import test from 'ava';
import { MovingIngress } from '../dist/proxy/moving-ingress.js';

/** Fake ports: the test decides when one is served or turns out to be in use. */
function doors() {
  const log: string[] = [];
  const listeners = new Map<number, (problem: string | undefined) => void>();
  const ends = new Map<number, () => void>();
  const ingress = new MovingIngress({
    serve(port, signal, onProblem) {
      log.push(`listen ${port}`);
      listeners.set(port, onProblem);
      signal.addEventListener('abort', () => log.push(`drain ${port}`), { once: true });
      return new Promise((resolve) => ends.set(port, resolve));
    },
    onProblem: (problem) => void log.push(problem ?? 'no problem'),
    onServed: (port) => void log.push(`served ${port}`),
  });
  return {
    ingress,
    log,
    report: (port: number, problem?: string) => listeners.get(port)?.(problem),
    end: (port: number) => ends.get(port)?.(),
  };
}

test('the port before is drained only once the new one is served', (t) => {
  const { ingress, log, report } = doors();
  ingress.moveTo(1);
  report(1);
  ingress.moveTo(2);
  t.deepEqual(log.splice(0), ['listen 1', 'no problem', 'served 1', 'listen 2']);
  t.deepEqual([ingress.servedPort, ingress.port], [1, 2]);
  report(2);
  t.deepEqual(log, ['no problem', 'drain 1', 'served 2']);
});

test('a port that is taken is told, and the one before goes on until it is free', (t) => {
  const { ingress, log, report } = doors();
  ingress.moveTo(1);
  report(1);
  ingress.moveTo(2);
  log.length = 0;
  report(2, 'taken');
  t.deepEqual(log.splice(0), ['taken']);
  t.is(ingress.servedPort, 1);
  report(2);
  t.deepEqual(log, ['no problem', 'drain 1', 'served 2']);
});

test('who thinks better of it goes back to what is served all the time', (t) => {
  const { ingress, log, report } = doors();
  ingress.moveTo(1);
  report(1);
  ingress.moveTo(2);
  report(2, 'taken');
  log.length = 0;
  ingress.moveTo(1);
  t.deepEqual(log.splice(0), ['drain 2', 'no problem']);
  report(2);
  t.deepEqual([log.length, ingress.servedPort], [0, 1], 'a door that was given up is not entered');
});

test('the end waits for everything that still drains', async (t) => {
  const { ingress, report, end } = doors();
  ingress.moveTo(1);
  report(1);
  ingress.moveTo(2);
  report(2);
  let closed = false;
  const closing = ingress.close().then(() => (closed = true));
  end(2);
  await new Promise((resolve) => setImmediate(resolve));
  t.false(closed);
  end(1);
  await closing;
  t.true(closed);
});
