import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Clock, families, hooks, platformEngine, platformServices, type ResourceStore } from '@tappaas/sdk';
import { createAdmission } from '../admission/admission.js';
import { CertificateThread } from '../api/certificates/certificate-thread.js';
import {
  localCertificates,
  processCertificate,
  type CertificateOptions,
  type LocalCertificates,
} from '../api/certificates/certificates.js';
import { loadSignatures } from '../identity/tokens/signing-keys.js';
import { loadKernel, memoryState, type Kernel, type KernelOptions, type SharedState } from '../kernel/kernel.js';
import { requiredServices } from '../kernel/required-services.js';
import { createSealer, type Sealer } from '../secrets/envelope.js';
import { KeyFile } from '../secrets/key-file.js';
import { LeasedStore } from '../store/remote/leased-store.js';
import { ReadLeases } from '../store/remote/read-leases.js';
import { auditRecorder } from './audit/audit-recorder.js';
import { openAudit, type PlatformAudit } from './audit/audit.js';
import { callerIdentity, credentialRegister, type CallerIdentity, type Revoke } from './access/caller-identity.js';
import { confidentialityOf } from './sealing/confidentiality.js';
import { Engines } from './engines.js';
import { lateResources } from './late-resources.js';
import { openedStore } from './opened-store.js';
import { platformAccess, type PlatformAccess } from './access/platform-access.js';
import { PlatformTokens } from './access/platform-tokens.js';
import { platformSections, type ApiSettings } from './settings.js';
import { sealingService } from './sealing/sealing.js';
import { ownLimitsMsMax, type Starting, type WorkerSeat } from './starting.js';
import { exportStoreWritable } from './store-readiness.js';
import { remoteState } from './workers/remote-state.js';
import { isFormerWorker } from './workers/worker-names.js';

/** What every process of the platform has: plugins, store, identity, access and engines. */
export interface Foundation {
  readonly kernel: Kernel;
  readonly settings: ApiSettings;
  readonly store: ResourceStore;
  /** Read leases of the processes that share the store. */
  readonly leases: ReadLeases;
  /** State of instances that all processes share. */
  readonly state: SharedState;
  readonly identity: CallerIdentity;
  readonly access: PlatformAccess;
  readonly engines: Engines;
  readonly audit: PlatformAudit;
  readonly tokens: PlatformTokens;
  /** The keys with which confidential data is sealed. */
  readonly keyFile: KeyFile;
  /** Returns the certificates of the listener, issued by the platform's own authority on first use. */
  readonly certificates: () => Promise<StoredCertificates>;
  /** Issues certificates; kept until the start is complete. */
  readonly certificateThread: CertificateThread;
  /** Sets the function that receives credentials revoked by plugins. */
  readonly onRevoked: (revoke: Revoke) => void;
}

/** Certificates, and the options to renew them. */
export interface StoredCertificates {
  readonly options: CertificateOptions & { readonly clock: Clock };
  readonly current: LocalCertificates;
}

/** Parts that plugins receive before they exist. */
interface Promised {
  readonly engines: PromiseWithResolvers<Engines>;
  readonly kernel: PromiseWithResolvers<Kernel>;
  readonly revocation: PromiseWithResolvers<Revoke>;
  readonly tokens: PlatformTokens;
  readonly sealer: PromiseWithResolvers<Sealer>;
  readonly audit: PromiseWithResolvers<PlatformAudit['stage']>;
}

/** Starts plugins, then the store, then everything that is kept in it, in the order of the request chain. */
export async function layFoundation(starting: Starting): Promise<Foundation> {
  const { clock, log, directory } = starting.options;
  const promised = promise(clock);

  // Plugins: configuration, manifests, setup; then the store, before everything that is kept in it.
  const state = starting.seat === undefined ? memoryState(clock) : remoteState(starting.seat.primary);
  const kernel = await loadedKernel(starting, state, promised);
  promised.kernel.resolve(kernel);
  const section = kernel.config.section('api') as ApiSettings;
  const settings = { ...section, directory: resolve(directory, section.directory) };
  const leaveLog = log.listen((line) => void kernel.hooks.observe(hooks.telemetry.log, line));
  starting.onStop({ what: 'log', stop: async () => leaveLog() });
  const started = kernel.start();
  const { certificates, certificateThread } = startCertificates(starting, settings);
  starting.onStop({ what: 'plugins', stop: () => kernel.stop(), limitMs: ownLimitsMsMax });
  // While the store opens, load the library that the next stage needs; that stage reports a failure to load.
  loadSignatures().catch(() => undefined);
  const opened = await openedStore(kernel, started);

  const leases = new ReadLeases(clock);
  const store = settings.workers > 0 && starting.seat === undefined ? new LeasedStore(opened, leases) : opened;
  const leaveStore = exportStoreWritable(kernel.metrics, store);
  starting.onStop({ what: 'store metric', stop: async () => leaveStore() });

  // Identity, access, admission, resources.
  const stages = startStages(starting, promised, kernel, store, settings, certificateThread);
  // If a plugin did not start, other failures are consequences: report the cause.
  await Promise.allSettled([stages]);
  await started;
  const { identity, access, engines, keyFile } = await stages;
  identity.follow();
  const audit = await startAudit(starting, kernel, store, settings);
  const { revocation, tokens } = promised;
  promised.audit.resolve(audit.stage);
  return {
    kernel,
    settings,
    store,
    leases,
    state,
    identity,
    access,
    engines,
    audit,
    tokens,
    keyFile,
    certificates,
    certificateThread,
    onRevoked: (revoke) => revocation.resolve(revoke),
  };
}

function promise(clock: Clock): Promised {
  const kernel = Promise.withResolvers<Kernel>();
  return {
    engines: Promise.withResolvers(),
    kernel,
    revocation: Promise.withResolvers(),
    audit: Promise.withResolvers(),
    tokens: new PlatformTokens(() => kernel.promise, clock),
    sealer: Promise.withResolvers(),
  };
}

function loadedKernel(
  { options, seat }: Starting,
  platformState: SharedState,
  { engines, revocation, tokens, sealer, audit }: Promised,
): Promise<Kernel> {
  const { configFile, clock, random, env, log, version } = options;
  const kernel: Promise<Kernel> = loadKernel({
    configFile,
    sections: platformSections,
    clock,
    random,
    env,
    kernelVersion: version,
    log: (line) => log.line(line),
    requires: requiredServices,
    watchdog: true,
    platformState,
    ...(seat !== undefined && workerPlace(seat)),
    services: [
      { service: platformServices.metrics, value: { text: async () => (await kernel).metrics.text() } },
      { service: platformServices.tokens, value: tokens.service },
      { service: platformServices.sealing, value: sealingService(() => sealer.promise) },
      {
        service: platformServices.audit,
        value: auditRecorder({ audit: () => audit.promise, engine: async () => (await engines.promise).of(platformEngine), clock }),
      },
      { service: platformServices.credentials, value: credentialRegister(revocation.promise) },
    ],
    resourcesFor: (instance, engine = platformEngine) => lateResources(async () => (await engines.promise).asPlugin(instance, engine)),
  });
  return kernel;
}

/** A worker runs no `leader` or `every-machine` tasks and uses the store of the platform's process. */
function workerPlace({ store }: WorkerSeat): Pick<KernelOptions, 'isLeader' | 'isOnlyOnMachine' | 'elsewhere'> {
  return {
    isLeader: () => false,
    isOnlyOnMachine: () => false,
    elsewhere: ({ id }) => (id === families.store.id ? store : undefined),
  };
}

async function startStages(
  starting: Starting,
  { engines: ready, tokens, sealer: sealing }: Promised,
  kernel: Kernel,
  store: ResourceStore,
  settings: ApiSettings,
  certificateThread: CertificateThread,
): Promise<Pick<Foundation, 'identity' | 'access' | 'engines' | 'keyFile'>> {
  const { clock, random, log } = starting.options;
  const keyFile = await openKeyFile(settings.directory);
  const sealer = createSealer(keyFile);
  sealing.resolve(sealer);
  const { issuer = `https://localhost:${settings.port}` } = settings;
  await tokens.open({ store, sealer, issuer, clock, log, signal: starting.signal });
  const directory = join(settings.directory, 'pki');
  const identity = await callerIdentity(kernel, store, clock, (user, lifetimeMs) =>
    processCertificate({ directory, clock, issuer: certificateThread }, user, lifetimeMs),
  );
  // Access looks up namespaces in the engines, which in turn use access.
  let engines: Engines | undefined;
  const access = platformAccess(kernel, (name) => engines?.all.get(name));
  const { isProjectOnly } = access;
  const admission = createAdmission({ dispatch: kernel.hooks, confidentiality: confidentialityOf(kernel), isProjectOnly });
  const { authenticate } = identity;
  const made = new Engines({ kernel, store, admission, sealer, authenticate, access, clock, random, log });
  engines = made;
  await made.start();
  ready.resolve(made);
  starting.onStop({ what: 'engines', stop: () => made.close() });
  return { identity, access, engines: made, keyFile };
}

function startCertificates(
  starting: Starting,
  { directory, host, hosts }: ApiSettings,
): Pick<Foundation, 'certificates' | 'certificateThread'> {
  const certificateThread = new CertificateThread();
  certificateThread.keep();
  starting.onStop({ what: 'certificates', stop: async () => certificateThread.release() });
  const options = { directory: join(directory, 'pki'), hosts: [host, ...hosts], clock: starting.options.clock, issuer: certificateThread };
  let kept: Promise<StoredCertificates> | undefined;
  const certificates = () => (kept ??= localCertificates(options).then((current) => ({ options, current })));
  // Created while the store opens; failures are reported to those who await them. A worker receives its own certificates.
  if (starting.seat === undefined) certificates().catch(() => undefined);
  return { certificates, certificateThread };
}

async function openKeyFile(directory: string): Promise<KeyFile> {
  await mkdir(join(directory, 'keys'), { recursive: true, mode: 0o700 });
  return KeyFile.open(join(directory, 'keys', 'secrets.key'));
}

/** Starts audit. It stops after the API and all other actors, but before the plugins that keep its lines. */
async function startAudit(
  starting: Starting,
  kernel: Kernel,
  store: ResourceStore,
  { directory: apiDirectory, workers }: ApiSettings,
): Promise<PlatformAudit> {
  const { clock, random, log, directory } = starting.options;
  const { replica, seat } = starting;
  const isGone = seat === undefined && { isGone: (name: string) => isFormerWorker(name, workers) };
  const audit = await openAudit({ kernel, store, apiDirectory, directory, replica, clock, random, log, ...isGone });
  starting.onStop({ what: 'audit', stop: () => audit.stop(), limitMs: ownLimitsMsMax });
  return audit;
}
