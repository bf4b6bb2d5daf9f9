import cluster from 'node:cluster';
import type { WorkerProcess } from './worker-process.js';

/**
 * Starts processes that share one listening socket and take connections from it themselves: one that dies takes with it only what it
 * had accepted. (Handed out in turn, a connection on its way to a process that dies would be held open by nobody for ever.)
 */
export function workerForks(file: string): () => WorkerProcess {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: file, args: [], serialization: 'advanced' });
  return () => {
    const worker = cluster.fork();
    const { process } = worker;
    const kill = process.kill.bind(process);
    // A process that could not be started, for lack of processes or descriptors, counts as a worker that has ended: the pool tries again. Node
    // repeats such an error on the worker, where an error that nobody listens to ends the platform, and leaves the worker in its list.
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
