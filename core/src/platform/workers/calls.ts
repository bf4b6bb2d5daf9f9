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

/** What a worker is started with. */
export interface WorkerStart {
  /** Names the worker in request ids, logs and audit, such as `w1`. */
  readonly name: string;
  readonly configFile: string;
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly certificates: LocalCertificates;
  /** The same in all workers of one platform: they serve the same page of metrics. */
  readonly metricsOf: string;
}

/** How a process of an engine's plugin connects: the same as in the primary. */
export interface EngineConnection {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly clientCertificate: { readonly certificate: string; readonly key: string };
}

/** What the primary does for its workers: everything there is only one of. */
export type PrimaryCalls = {
  readonly begin: () => Promise<WorkerStart>;
  /** Compares what the worker runs with what the primary runs; at least once before `ready`. @throws TAP_WORKER_VERSION */
  readonly compareVersions: (worker: Versions) => Promise<void>;
  readonly ready: () => Promise<void>;
  readonly reload: () => Promise<Omit<ReloadResult, 'problems'> & { readonly problems: readonly string[] }>;
  readonly confirm: () => Promise<void>;
  /** Credentials are no longer good: every process hears of it. */
  readonly revoked: (credentialIds: readonly string[]) => Promise<void>;
  /** Makes another token of the first administrator in place of the one there is. */
  readonly replaceAdminToken: () => Promise<ReplacedToken>;
  /** Begins to replace all workers; how many there are. */
  readonly replaceWorkers: () => Promise<number>;
  /** The last decision about a pod, or about each pod of an application. */
  readonly placements: (about: PlacedObject) => Promise<readonly Placement[]>;
  readonly sealingKeys: () => Promise<SealingKeysView>;
  readonly changeSealingKeys: (change: SealingKeysChange, keyId: string) => Promise<SealingKeysView & ReencryptionResult>;
  /** Removes all objects of a kind, `plural.group`, whose plugin is not loaded. */
  readonly purge: (kind: string) => Promise<Purged>;
  /** The latest decisions about pods, by uid. */
  readonly decisions: (uids: readonly string[]) => Promise<readonly (Decision | undefined)[]>;
  readonly connectEngine: (
    engine: string,
    user: { readonly name: string; readonly groups: readonly string[] },
  ) => Promise<EngineConnection>;
  /** The metrics of all processes. */
  readonly metrics: () => Promise<string>;
  /** The circuit breakers that are open in the worker, all of them. */
  readonly openBreakers: (open: readonly OpenBreaker[]) => Promise<void>;
  /** What the worker has taken of its shares of the platform's limits, and what it wants; answered by `flowGrants` before it returns. */
  readonly flowReport: (reports: readonly ShareReport[]) => Promise<void>;
  /** What instances keep for the whole platform, as JSON. */
  readonly stateGet: SharedState['get'];
  readonly stateSet: SharedState['set'];
  readonly stateDelete: SharedState['delete'];
};

/** What a worker does when the primary says so. */
export type WorkerCalls = {
  readonly reload: () => Promise<void>;
  readonly revoked: (credentialIds: readonly string[]) => Promise<void>;
  readonly renew: (certificates: LocalCertificates) => Promise<void>;
  /** The first administrator has another token. */
  readonly rereadAdminToken: () => Promise<void>;
  /** The keys that things are sealed with have changed. */
  readonly rereadKeys: () => Promise<void>;
  /** A kind has been purged. */
  readonly forgetKind: (kind: string) => Promise<void>;
  readonly metrics: () => Promise<string>;
  /** Answers as long as it can do anything at all. */
  readonly alive: () => Promise<void>;
  /** Delivers grants of the platform-wide limits. */
  readonly flowGrants: (grants: readonly ShareGrant[]) => Promise<void>;
  /** Takes no new connections, ends its streams, answers what runs; then the process ends. */
  readonly drain: () => Promise<void>;
};
