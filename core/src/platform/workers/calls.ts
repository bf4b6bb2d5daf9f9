import type { ReloadResult, SharedState } from '../../kernel/kernel.js';
import type { LocalCertificates } from '../../api/certificates/certificates.js';
import type { ShareGrant, ShareReport } from '../../flow/shares/protocol.js';
import type { Purged } from '../../resources/purge.js';
import type { ReencryptionResult } from '../../secrets/reencryption.js';
import type { Decision } from '../../schedule/decision.js';
import type { ReplacedToken } from '../access/caller-identity.js';
import type { PlacedObject, Placement } from '../clusters/placements.js';
import type { OpenBreaker } from './open-breakers.js';
import type { Versions } from './versions.js';
import type { SealingKeysChange, SealingKeysView } from '../sealing/sealing-keys.js';

/** The start parameters of a worker. */
export interface WorkerStart {
  /** Name of the worker in request ids, logs and audit, such as `w1`. */
  readonly name: string;
  readonly configFile: string;
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly certificates: LocalCertificates;
  /** Equal in all workers of a platform, because they serve the same metrics page. */
  readonly metricsOf: string;
}

/** How a process of a plugin connects to its engine; the same as in the primary. */
export interface EngineConnection {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly clientCertificate: { readonly certificate: string; readonly key: string };
}

/** What came of a reload, with its problems in words. */
export interface ReloadAnswer extends Omit<ReloadResult, 'problems'> {
  readonly problems: readonly string[];
  /** Paths of settings that have changed, and count from the next start of the platform on. */
  readonly atNextStart: readonly string[];
}

/** Calls from workers to the primary, for everything that exists only once. */
export type PrimaryCalls = {
  readonly begin: () => Promise<WorkerStart>;
  /** Compares the versions of the worker and the primary; called at least once before `ready`. @throws TAP_WORKER_VERSION */
  readonly compareVersions: (worker: Versions) => Promise<void>;
  readonly ready: () => Promise<void>;
  readonly reload: () => Promise<ReloadAnswer>;
  readonly confirm: () => Promise<void>;
  /** Reports revoked credentials to every process. */
  readonly revoked: (credentialIds: readonly string[]) => Promise<void>;
  /** Replaces the token of the first administrator. */
  readonly replaceAdminToken: () => Promise<ReplacedToken>;
  /** Begins to replace all workers; returns their number. */
  readonly replaceWorkers: () => Promise<number>;
  /** Returns the last decision about a pod, or about each pod of an application. */
  readonly placements: (about: PlacedObject) => Promise<readonly Placement[]>;
  readonly sealingKeys: () => Promise<SealingKeysView>;
  readonly changeSealingKeys: (change: SealingKeysChange, keyId: string) => Promise<SealingKeysView & ReencryptionResult>;
  /** Removes all objects of a kind, `plural.group`, whose plugin is not loaded. */
  readonly purge: (kind: string) => Promise<Purged>;
  /** Returns the latest decisions about pods, by uid. */
  readonly decisions: (uids: readonly string[]) => Promise<readonly (Decision | undefined)[]>;
  readonly connectEngine: (
    engine: string,
    user: { readonly name: string; readonly groups: readonly string[] },
  ) => Promise<EngineConnection>;
  /** Returns the metrics of all processes. */
  readonly metrics: () => Promise<string>;
  /** Reports all open circuit breakers of the worker. */
  readonly openBreakers: (open: readonly OpenBreaker[]) => Promise<void>;
  /**
   * Reports what the worker has taken from its shares of the platform's limits, and what it wants; `flowGrants` is called before it
   * returns.
   */
  readonly flowReport: (reports: readonly ShareReport[]) => Promise<void>;
  /** State of instances for the whole platform, as JSON. */
  readonly stateGet: SharedState['get'];
  readonly stateSet: SharedState['set'];
  readonly stateDelete: SharedState['delete'];
};

/** Calls from the primary to workers. */
export type WorkerCalls = {
  readonly reload: () => Promise<void>;
  readonly revoked: (credentialIds: readonly string[]) => Promise<void>;
  readonly renew: (certificates: LocalCertificates) => Promise<void>;
  /** The first administrator's token was replaced. */
  readonly rereadAdminToken: () => Promise<void>;
  /** The sealing keys have changed. */
  readonly rereadKeys: () => Promise<void>;
  /** A kind has been purged. */
  readonly forgetKind: (kind: string) => Promise<void>;
  readonly metrics: () => Promise<string>;
  /** Responds if the worker is alive. */
  readonly alive: () => Promise<void>;
  /** Delivers grants of the platform-wide limits. */
  readonly flowGrants: (grants: readonly ShareGrant[]) => Promise<void>;
  /** Accepts no new connections, ends streams and finishes requests in flight; then the process exits. */
  readonly drain: () => Promise<void>;
};
