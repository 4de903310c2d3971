import { type BodyOf, dispatch } from '@mezzo/process';
import { agentMessages, type OperationRecord, type OperationUUID, Resources } from '@mezzo/protocol';
import type { ExecutorKeeperOptions } from './executor-keeper.ts';
import { OrderTaker } from './order-taker.ts';
import { OperationUpdateDue, ResourcesChanged } from './resources/agent-resources.ts';

const { AcknowledgeOperationStatus, ApplyOperation, ReconcileOperations } = agentMessages;
const { UpdateAgent, UpdateOperationStatus } = agentMessages;

export interface ResourceKeeperOptions extends ExecutorKeeperOptions {
  /** What the agent is started with. */
  readonly resources: Resources;
}

/** The part of an agent that lets operations change what its resources are. `AgentResources` carries them out and keeps them. */
export abstract class ResourceKeeper extends OrderTaker {
  /** What the agent was started with. */
  protected readonly given: Resources;
  /** With dynamic reservations and volumes. */
  protected total: Resources;
  protected checkpointed = Resources.empty;
  #operations: readonly OperationRecord[] = [];

  constructor(options: ResourceKeeperOptions) {
    super(options);
    this.given = options.resources;
    this.total = options.resources;
    this.install(ResourcesChanged, ({ total, checkpointed, operations }) => {
      this.total = total;
      this.checkpointed = checkpointed;
      this.#operations = operations;
      if (this.isEmpty) this.emptied();
    });
    this.install(OperationUpdateDue, ({ update }) => {
      if (this.master !== undefined) this.send(this.master, UpdateOperationStatus, update);
    });
    this.installOfLeader(ApplyOperation, (body) => this.#apply(body));
    this.installOfLeader(AcknowledgeOperationStatus, ({ operationUuid, uuid }) => {
      const taken = dispatch(this.processes.resources, (p) => p.acknowledge(operationUuid, uuid));
      taken.onReady((isTaken) => {
        if (!isTaken) this.ignore(`the acknowledgement of operation ${operationUuid}: it is not for its last status`);
      });
    });
    this.installOfLeader(ReconcileOperations, ({ operations }) => {
      const { agentId } = this;
      if (agentId !== undefined) void dispatch(this.processes.resources, (p) => p.reconcile(agentId, operations));
    });
  }

  /** What of them counts in the total, and is not acknowledged. */
  protected get operations(): readonly OperationUUID[] {
    return this.#operations.map(({ operationUuid }) => operationUuid);
  }

  /** Neither tasks, nor operations whose end is not acknowledged. */
  protected override get isEmpty(): boolean {
    return super.isEmpty && this.#operations.length === 0;
  }

  protected override resumeUpdates(): void {
    super.resumeUpdates();
    const { agentId, master } = this;
    // Before any status of theirs: the master learns of operations that it has forgotten.
    if (agentId !== undefined && master !== undefined)
      this.send(master, UpdateAgent, { agentId, operations: [...this.#operations] });
    void dispatch(this.processes.resources, (p) => p.resume());
  }

  protected override pauseUpdates(): void {
    void dispatch(this.processes.resources, (p) => p.pause());
  }

  #apply(body: BodyOf<typeof ApplyOperation>): void {
    const { agentId } = this;
    if (agentId === undefined || this.state !== 'running')
      return this.ignore(`operation ${body.operationUuid}: this agent is not registered`);
    void dispatch(this.processes.resources, (p) => p.apply(agentId, body));
  }
}
