/** One server in a process of its own, so that its processor time is its own; started by fork, told what to be by the first message. */
import { startRealServer } from '../../../core/test/api/real-server.ts';
import { auditStage } from './audited.ts';
import { developerAccess, developerAuthenticator, developerToken } from './developer.ts';
import { memoryStore } from './provided.ts';
import { startPeer, type FixedAnswers, type PeerName, type Tls } from './peer-server.ts';

export type ServerOptions =
  | {
      readonly be: 'TAPPaaS';
      readonly tls?: Tls;
      readonly audit?: 'file' | 'none';
      readonly limits?: 'much' | 'usual';
      readonly as?: 'developer';
    }
  | { readonly be: PeerName; readonly tls?: Tls; readonly answers: FixedAnswers; readonly frame: Buffer };

const much = { perSecond: 10_000_000, burst: 10_000_000 };
const unlimited = { system: much, tenant: much, user: much, requestsPerPrincipalMax: 400, streamsPerPrincipalMax: 10_000 };

async function become(options: ServerOptions): Promise<{ readonly port: number; readonly token: string }> {
  if (options.be !== 'TAPPaaS') return { port: await startPeer(options.be, options.answers, options.frame, options.tls), token: 'none' };
  const flow = options.limits === 'usual' ? {} : unlimited;
  const audit = await auditStage(options.audit ?? 'none');
  const isDeveloper = options.as === 'developer';
  const { port, token } = await startRealServer({
    flow,
    audit,
    tenants: true,
    store: await memoryStore(),
    ...(options.tls !== undefined && { tls: options.tls }),
    ...(isDeveloper && { api: { authenticate: developerAuthenticator(), authorize: (await developerAccess()).authorize } }),
  });
  return { port, token: isDeveloper ? developerToken : token };
}

// What it has written goes with it: a signal alone would end it without its last words.
process.once('SIGTERM', () => process.exit());
process.once('disconnect', () => process.exit());
process.on('message', (message: ServerOptions | 'usage') => {
  if (message === 'usage') {
    const whole = process.cpuUsage();
    const main = process.threadCpuUsage();
    process.send?.({ wholeUs: whole.user + whole.system, mainUs: main.user + main.system });
  } else void become(message).then((started) => process.send?.(started));
});
