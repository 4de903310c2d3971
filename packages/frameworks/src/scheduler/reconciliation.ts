import type { Timer } from '@mezzo/process';
import {
  type AgentID,
  isTerminal,
  isTerminalOperation,
  type OperationStatus,
  type TaskID,
  type TaskStatus,
} from '@mezzo/protocol';
import type { Backoff } from '../backoff.ts';
import { type OpenItem, OpenItems } from './open-items.ts';

export interface ReconciliationPorts {
  readonly askForTasks: (tasks: readonly OpenItem<TaskID>[]) => boolean;
  readonly askForOperations: (operations: readonly OpenItem<string>[]) => boolean;
  readonly delay: (milliseconds: number, call: () => void) => Timer;
  /** How long to wait for answers before those that are missing are asked for again. */
  readonly backoff: Backoff;
}

/** Asks for the state of every task and operation that is open, again and again until each is answered for. */
export class Reconciliation {
  readonly #ports: ReconciliationPorts;
  readonly #tasks = new OpenItems<TaskID>();
  readonly #operations = new OpenItems<string>();
  #question: Timer | undefined;

  constructor(ports: ReconciliationPorts) {
    this.#ports = ports;
  }

  launched(taskId: TaskID, agentId: AgentID): void {
    this.#tasks.opened(taskId, agentId);
  }

  /** @param agentId undefined if the operation was sent without saying where */
  requested(operationId: string, agentId: AgentID | undefined): void {
    this.#operations.opened(operationId, agentId);
  }

  heardOfTask({ taskId, agentId, state }: TaskStatus): void {
    this.#tasks.heard(taskId, agentId, isTerminal(state));
  }

  heardOfOperation({ operationId, agentId, state }: OperationStatus): void {
    if (operationId === undefined) return;
    // Who knows nothing of it will never know more.
    this.#operations.heard(operationId, agentId, isTerminalOperation(state) || state === 'OPERATION_UNKNOWN');
  }

  begin(): void {
    this.#ports.backoff.reset();
    this.#tasks.question();
    this.#operations.question();
    this.#ask();
  }

  pause(): void {
    this.#question?.cancel();
  }

  #ask(): void {
    this.#question?.cancel();
    const [tasks, operations] = [this.#tasks.unanswered, this.#operations.unanswered];
    const isAsked = [
      tasks.length > 0 && this.#ports.askForTasks(tasks),
      operations.length > 0 && this.#ports.askForOperations(operations),
    ];
    if (isAsked.includes(true)) this.#question = this.#ports.delay(this.#ports.backoff.next(), () => this.#ask());
  }
}
