import { type Duration, type PID, toMilliseconds } from '@mezzo/process';
import type { FrameworkID, FrameworkInfo, OfferConstraints } from '@mezzo/protocol';
import type { Scheduler } from './scheduler.ts';

/** Who the framework is. */
export interface FrameworkOptions {
  readonly name: string;
  /** Of an earlier run, to take over its tasks. Default: the master gives one. */
  readonly id?: FrameworkID;
  /** Default `['*']`. */
  readonly roles?: readonly string[];
  /** Whom tasks run as. Default: the agent's own user. */
  readonly user?: string;
  /** How long the tasks of a disconnected framework are kept. Default 0. */
  readonly failoverTimeout?: Duration;
  /** Tasks survive the agent's restart. Default false. */
  readonly checkpoint?: boolean;
  /** Mesos's names, such as PARTITION_AWARE. Default none. */
  readonly capabilities?: readonly string[];
  readonly principal?: string;
  readonly hostname?: string;
  readonly webuiUrl?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** By role, alternatives of what an offer must at least hold, such as `{ web: [{ cpus: 2 }] }`. Default: the cluster's. */
  readonly offerFilters?: NonNullable<FrameworkInfo['offerFilters']>;
  /** By role, which agents may be offered. Default: all. */
  readonly offerConstraints?: OfferConstraints;
}

/** What of a framework may change while it is subscribed; the master refuses another user, checkpoint or principal. */
export type FrameworkChanges = Partial<Omit<FrameworkOptions, 'id'>>;

export interface SchedulerOptions {
  /** Name of the cluster whose leader to follow. */
  readonly cluster: string;
  readonly framework: FrameworkOptions;
  readonly scheduler: Scheduler;
  /** Roles of the framework that get no offers until revived, from the first subscription on. Default none. */
  readonly suppressedRoles?: readonly string[];
  /** `automatic`: an update is acknowledged when the `update` or `operationUpdate` callback has returned. Default `automatic`. */
  readonly acknowledge?: 'automatic' | 'manual';
  /** First wait for the answer to a subscription; it doubles (MESOS_REGISTRATION_BACKOFF_FACTOR). Default 2 s. */
  readonly registrationBackoffFactor?: Duration;
  /** Longest wait for that answer (Mesos: REGISTRATION_RETRY_INTERVAL_MAX). Default 1 min. */
  readonly registrationRetryIntervalMax?: Duration;
  /** First wait for answers to a reconciliation; it doubles up to 16 times this. Default 2 s. */
  readonly reconciliationBackoff?: Duration;
  /** How often all tasks are reconciled while connected (Mesos's guide for frameworks: 15 minutes). Default 15 min. */
  readonly reconciliationInterval?: Duration;
  /** Process id. Default `scheduler`. */
  readonly id?: string;
  /** A detector that answers `Detect`. Default: one that follows the announcements of `cluster`. */
  readonly detector?: PID;
}

/** The framework as messages carry it. */
export function frameworkInfoOf(options: FrameworkOptions): FrameworkInfo {
  const { id, roles = ['*'], capabilities = [], checkpoint = false, failoverTimeout = 0, labels, ...rest } = options;
  return {
    ...rest,
    // As in Mesos, an empty id is none: what was stored under no id yet is a new framework.
    ...(id === undefined || id.length === 0 ? {} : { id }),
    roles: [...roles],
    capabilities: [...capabilities],
    checkpoint,
    failoverTimeout: toMilliseconds(failoverTimeout),
    ...(labels === undefined ? {} : { labels: { ...labels } }),
  };
}
