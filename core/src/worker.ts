/* The process of an API worker: started by the platform's process, with which it communicates over the inherited channel. */
import { keepCompiled } from './compile-cache.js';

keepCompiled();
const [{ collectWithOneThread }, { serveAsWorker }, { parentPort }] = await Promise.all([
  import('./heap-settings.js'),
  import('./platform/workers/serve-as-worker.js'),
  import('./platform/workers/parent-port.js'),
]);

collectWithOneThread();
await serveAsWorker({
  primary: parentPort(process),
  env: process.env,
  stderr: process.stderr,
  onSignal: (signal, listener) => void process.on(signal, listener),
  onUncaught: (listener) => void process.on('uncaughtException', listener).on('unhandledRejection', listener),
  exit: (code) => process.exit(code),
});
