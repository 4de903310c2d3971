import { type BodyOf, Deferred, Future, message, messageOf, type PID, Process, type Timer } from '@mezzo/process';
import {
  type AgentID,
  type AgentOperation,
  type agentMessages,
  conversionsOf,
  type FrameworkID,
  needsCheckpoint,
  type OperationRecord,
  type OperationStatus,
  type OperationUUID,
  ResourceConversionError,
  Resources,
  unallocatedConversion,
  UpdateUUID,
  withCheckpointed,
} from '@mezzo/protocol';
import { RecoveryError } from '../recovery/recovery-error.ts';
import type { WorkDirectory } from '../work-directory.ts';
import {
  type CheckpointedResources,
  commitTarget,
  type RecoveredResources,
  writeTarget,
} from './resources-checkpoint.ts';
import { syncVolumes, type VolumeMount, volumeMounts, volumePath } from './volumes.ts';

/** To the agent: what its resources are from now on, and which operations have not been acknowledged. */
export const ResourcesChanged = message<{
  readonly total: Resources;
  readonly checkpointed: Resources;
  readonly operations: readonly OperationRecord[];
}>('agent-resources.changed');

/** To the agent: a status of an operation that is due for delivery, for the first time or again. */
export const OperationUpdateDue = message<{
  readonly update: BodyOf<typeof agentMessages.UpdateOperationStatus>;
}>('agent-resources.update-due');

/** Mesos's STATUS_UPDATE_RETRY_INTERVAL_MIN and _MAX, in milliseconds. */
const firstRetry = 10_000;
const lastRetry = 600_000;
/** Milliseconds after which what could not be stored is tried again. */
const storeRetry = 10_000;

/** An operation whose end is not acknowledged. */
interface Held {
  readonly record: OperationRecord;
  /** It is on the disk, and what it did is done. */
  isStored: boolean;
  retry: Timer | undefined;
  retryInterval: number;
}

/**
 * What an agent's resources are: those it was started with, changed by operations. Dynamic reservations, volumes and what
 * became of operations survive a restart; an operation's last status is sent until it is acknowledged, after 10 s, 20 s, 40 s,
 * … up to 10 min. While paused, as in the beginning, nothing is sent.
 */
export class AgentResources extends Process {
  readonly #agent: PID;
  readonly #folders: WorkDirectory;
  readonly #given: Resources;
  #total: Resources;
  readonly #operations = new Map<OperationUUID, Held>();
  /** Volumes whose folders may be there. */
  #volumes = Resources.empty;
  #paused = true;
  #storing = false;
  /** READY when what has been decided by now is stored. */
  #stored: Deferred<void> | undefined;

  /** @param given the resources that the agent is started with */
  constructor(agent: PID, folders: WorkDirectory, given: Resources) {
    super('resources');
    this.#agent = agent;
    this.#folders = folders;
    this.#given = given;
    this.#total = given;
  }

  protected override finalize(): void {
    this.#stopSending();
  }

  /**
   * Takes up what the agent before left, finishes what it had begun, and sees to it that every volume has its folder. Fails
   * with RecoveryError RESOURCES_INCOMPATIBLE if this agent has not what reservations and volumes were made of.
   */
  recover(recovered: RecoveredResources | undefined): Future<void> {
    if (recovered === undefined) return Future.ready(undefined);
    const { resources, operations, formerly } = recovered;
    try {
      this.#total = withCheckpointed(this.#given, resources);
      this.#volumes = formerly.plus(resources);
    } catch (error) {
      return Future.failed(this.#incompatible(error));
    }
    for (const record of operations) this.#hold(record);
    this.#tell();
    return this.#store();
  }

  /** As they are by now, before they are stored too. */
  get total(): Resources {
    return this.#total;
  }

  /** Dynamic reservations and volumes. */
  get checkpointed(): Resources {
    return this.#total.filter(needsCheckpoint);
  }

  /** Those whose end is not acknowledged. */
  get operations(): readonly OperationRecord[] {
    return [...this.#operations.values()].map(({ record }) => record);
  }

  /**
   * Takes an operation that the master has decided. At once it counts, or is an OPERATION_ERROR because it does not go with
   * what there is. READY when that is stored and the volumes' folders are as they should be; then the agent gets
   * OperationUpdateDue. An operation that is known already is left alone.
   */
  apply(
    agentId: AgentID,
    { frameworkId, operationUuid, operation }: Omit<BodyOf<typeof agentMessages.ApplyOperation>, 'term'>,
  ): Future<void> {
    if (this.#operations.has(operationUuid)) return this.#stored?.future ?? Future.ready(undefined);
    const latestStatus = this.#perform(agentId, operation);
    this.#hold({
      operationUuid,
      agentId,
      ...(frameworkId === undefined ? {} : { frameworkId }),
      info: operation,
      latestStatus,
      statuses: [latestStatus],
    });
    this.#tell();
    return this.#store();
  }

  /** Somebody has heard how the operation ended. READY when it is stored that it can be forgotten; false if that is not its status. */
  acknowledge(operationUuid: OperationUUID, uuid: UpdateUUID): Future<boolean> {
    const held = this.#operations.get(operationUuid);
    if (held === undefined || held.record.latestStatus.uuid !== uuid || !held.isStored) return Future.ready(false);
    held.retry?.cancel();
    this.#operations.delete(operationUuid);
    this.#tell();
    return this.#store().map(() => true);
  }

  /** Answers OPERATION_DROPPED for those that are not here. Such an answer is sent once. */
  reconcile(
    agentId: AgentID,
    operations: readonly { readonly operationUuid: OperationUUID; readonly frameworkId?: FrameworkID }[],
  ): void {
    for (const { operationUuid, frameworkId } of operations) {
      if (this.#operations.has(operationUuid)) continue;
      const status: OperationStatus = { state: 'OPERATION_DROPPED', message: 'The agent does not know it', agentId };
      const owner = frameworkId === undefined ? {} : { frameworkId };
      this.send(this.#agent, OperationUpdateDue, { update: { agentId, ...owner, operationUuid, status } });
    }
  }

  /**
   * Where a task with these resources finds its volumes. READY when everything it needs is stored. Fails with
   * ResourceConversionError if they name a reservation or volume that the agent has not: RESOURCES_UNKNOWN.
   */
  volumesOf(resources: Resources): Future<readonly VolumeMount[]> {
    const needed = resources.unallocate().filter(needsCheckpoint);
    if (!this.checkpointed.contains(needed)) {
      const missing = needed.minus(this.checkpointed);
      return Future.failed(new ResourceConversionError(`The agent has no ${String(missing)}`));
    }
    let mounts: readonly VolumeMount[];
    try {
      mounts = volumeMounts(this.#folders, resources);
    } catch (error) {
      return Future.failed(error);
    }
    return this.#stored === undefined ? Future.ready(mounts) : this.#stored.future.map(() => mounts);
  }

  /** Nothing is sent until `resume`. So it begins. */
  pause(): void {
    this.#paused = true;
    this.#stopSending();
  }

  /** Sends every status that is not acknowledged, with the first retry interval. */
  resume(): void {
    this.#paused = false;
    for (const held of this.#operations.values()) this.#sendFirst(held);
  }

  #perform(agentId: AgentID, operation: AgentOperation): OperationStatus {
    const { id: operationId } = operation;
    const uuid = UpdateUUID(this.random.uuid());
    const common = { uuid, agentId, ...(operationId === undefined ? {} : { operationId }) };
    try {
      const conversions = conversionsOf(operation);
      let total = this.#total;
      for (const conversion of conversions) total = total.apply(unallocatedConversion(conversion));
      for (const volume of total.persistentVolumes()) volumePath(this.#folders, volume);
      // What a restart could not take up again must not be.
      withCheckpointed(this.#given, total.filter(needsCheckpoint));
      this.#total = total;
      const convertedResources = Resources.sum(conversions.map(({ converted }) => converted)).entries;
      return { state: 'OPERATION_FINISHED', convertedResources: [...convertedResources], ...common };
    } catch (error) {
      if (!(error instanceof ResourceConversionError)) throw error;
      return { state: 'OPERATION_ERROR', message: error.message, ...common };
    }
  }

  #hold(record: OperationRecord): void {
    this.#operations.set(record.operationUuid, {
      record,
      isStored: false,
      retry: undefined,
      retryInterval: firstRetry,
    });
  }

  #tell(): void {
    const { total, checkpointed, operations } = this;
    this.send(this.#agent, ResourcesChanged, { total, checkpointed, operations });
  }

  // ---- on the disk

  /** One write at a time; what is decided while one is under way goes into the next. */
  #store(): Future<void> {
    this.#stored ??= new Deferred<void>();
    const { future } = this.#stored;
    if (!this.#storing) this.#storeNow();
    return future;
  }

  #storeNow(): void {
    const stored = this.#stored;
    if (stored === undefined) return;
    this.#storing = true;
    this.#stored = undefined;
    const state: CheckpointedResources = { resources: this.checkpointed, operations: this.operations };
    const isIncluded = [...this.#operations.values()];
    const written = this.#write(state);
    written.onReady(
      this.defer(() => {
        this.#storing = false;
        this.#volumes = state.resources;
        for (const held of isIncluded) {
          if (held.isStored) continue;
          held.isStored = true;
          this.#sendFirst(held);
        }
        stored.set(undefined);
        this.#storeNow();
      }),
    );
    written.onFailed(
      this.defer((error: unknown) => {
        this.runtime.log.error({ err: error }, 'Could not store what the resources are; trying again');
        // Whoever came meanwhile waits with those who did before.
        if (this.#stored === undefined) this.#stored = stored;
        else stored.associate(this.#stored.future);
        this.delay(storeRetry, () => this.#storeNow());
      }),
    );
  }

  #write(state: CheckpointedResources): Future<void> {
    const { files } = this.runtime;
    return writeTarget(files, this.#folders, state)
      .andThen(() => syncVolumes(files, this.#folders, this.#volumes, state.resources))
      .andThen(() => commitTarget(files, this.#folders, state));
  }

  // ---- updates

  #sendFirst(held: Held): void {
    held.retryInterval = firstRetry;
    this.#send(held);
  }

  #send(held: Held): void {
    const { agentId, frameworkId, operationUuid, latestStatus: status } = held.record;
    if (this.#paused || !held.isStored || this.#operations.get(operationUuid) !== held) return;
    held.retry?.cancel();
    const owner = frameworkId === undefined ? {} : { frameworkId };
    this.send(this.#agent, OperationUpdateDue, {
      update: { agentId, ...owner, operationUuid, status, latestStatus: status },
    });
    const interval = held.retryInterval;
    held.retryInterval = Math.min(interval * 2, lastRetry);
    held.retry = this.delay(interval, () => this.#send(held));
  }

  #stopSending(): void {
    for (const { retry } of this.#operations.values()) retry?.cancel();
  }

  #incompatible(cause: unknown): RecoveryError {
    const message =
      `The agent's resources do not go with its dynamic reservations and volumes (${messageOf(cause)}): start it with the ` +
      `resources it had, or remove '${this.#folders.resources}' and '${this.#folders.resourcesTarget}' to give them up`;
    return new RecoveryError('RESOURCES_INCOMPATIBLE', message, { cause });
  }
}
