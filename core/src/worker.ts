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
  onSignal: (signal, heard) => void process.on(signal, heard),
  onUncaught: (heard) => void process.on('uncaughtException', heard).on('unhandledRejection', heard),
  exit: (code) => process.exit(code),
});
