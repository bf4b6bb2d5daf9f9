import cluster from 'node:cluster';
import type { WorkerProcess } from './worker-process.js';

/**
 * Makes a function that starts processes which share one listening socket and accept connections from it themselves, so that a crash
 * affects only connections that the process had accepted. (With round-robin, a connection on its way to a crashed process would stay open
 * forever.)
 */
export function workerForks(file: string): () => WorkerProcess {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: file, args: [], serialization: 'advanced' });
  return () => {
    const worker = cluster.fork();
    const { process } = worker;
    const kill = process.kill.bind(process);
    // A process that cannot be started, for lack of processes or descriptors, counts as an ended worker, and the pool retries. Node emits
    // such an error on
    // the worker, where it would end the platform without a listener, and leaves the worker in its list.
    worker.on('error', () => delete cluster.workers?.[worker.id]);
    return Object.assign(process, {
      ended: new Promise<string>((resolve) => {
        process.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
        process.once('error', (error) => resolve(error.message));
      }),
      kill: () => kill('SIGKILL'),
    });
  };
}
