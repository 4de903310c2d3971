/** Amounts of scalars by name: `cpus`, `mem` (MB), `disk` (MB), `gpus` and others. */
export type Amounts = Readonly<Record<string, number>>;

/** What a role or a framework has at a time. */
export interface ShareSample {
  /** Taken by its tasks. */
  readonly used: Amounts;
  /** On offer to it. */
  readonly offered: Amounts;
  /** Its largest fraction of any resource of the cluster, 0 to 1, of what is used. */
  readonly dominantShare: number;
  /** The same divided by its weight: what the allocator evens out. */
  readonly weightedShare: number;
  /** Tasks that have arrived and do not run yet. */
  readonly waiting: number;
  /** Tasks that run. */
  readonly running: number;
}

/** The cluster at a time. */
export interface Sample {
  /** Milliseconds since the start. */
  readonly time: number;
  /** What the agents that are there have. */
  readonly total: Amounts;
  readonly used: Amounts;
  readonly offered: Amounts;
  /**
   * By name, 0 to 1: the part of what is free that lies on agents too full for the mean waiting task (0 without a waiting
   * task, or when nothing is free).
   */
  readonly fragmentation: Amounts;
  /** Jain's index of the weighted dominant shares of roles that have or want something: 1/n to 1, where 1 is even. */
  readonly jain: number;
  /** Largest minus smallest weighted dominant share of roles that want more than they have. */
  readonly gap: number;
  readonly roles: Readonly<Record<string, ShareSample>>;
  readonly frameworks: Readonly<Record<string, ShareSample>>;
}

export interface FrameworkResult {
  readonly name: string;
  readonly role: string;
  /** How its tasks come: `greedy`, `batch`, `long-running`, `spiky` or `recorded`. */
  readonly kind: string;
  readonly tasks: {
    readonly arrived: number;
    readonly launched: number;
    readonly finished: number;
    /** Failed, lost, or killed by an event. */
    readonly lost: number;
    /** Launched where they preferred to be; only for frameworks that have preferences. */
    readonly local?: number;
  };
  /** Milliseconds from the arrival of a task to TASK_RUNNING, in the order in which they began to run. */
  readonly waits: readonly number[];
  readonly offers: {
    readonly made: number;
    /** At least one task was launched on it. */
    readonly accepted: number;
    readonly declined: number;
    readonly rescinded: number;
    /** By name: amount times seconds that lay in offers on which nothing was launched. */
    readonly wasted: Amounts;
  };
}

/** Everything that one run of the laboratory has measured. The same scenario, seed and options give the same, byte for byte. */
export interface LabResult {
  readonly scenario: string;
  /** A name, or the path of a module as the scenario or the options have it. */
  readonly allocator: string;
  readonly sorter: string;
  readonly seed: number;
  /** Milliseconds of virtual time. */
  readonly duration: number;
  readonly samples: readonly Sample[];
  readonly frameworks: readonly FrameworkResult[];
  readonly roles: readonly { readonly name: string; readonly weight: number }[];
  /** What happened from outside, for the plots: `agent-17 lost`, `quota of ads: cpus 40`. */
  readonly events: readonly { readonly time: number; readonly what: string }[];
  /** How often the allocator ran. */
  readonly allocationRuns: number;
  /** How many of its allocations the master refused: they gave what was not there, not free, or to nobody (`master/invalid_allocations`). */
  readonly refusedAllocations: number;
}
