import type { Cell } from './cell.ts';
import { type Duration, toMilliseconds } from './duration.ts';
import { endpointId } from './endpoints.ts';
import { SpawnRefused, WaitCycle } from './errors.ts';
import { Deferred, Future } from './future/future.ts';
import { isAddress, type LocalPID, type PID } from './pid.ts';
import type { Process } from './process.ts';
import type { Runtime } from './runtime.ts';

/** The living processes of a runtime, by id, and who waits for the end of one. */
export class Processes {
  readonly #runtime: Runtime;
  readonly #living = new Map<string, Cell>();
  readonly #waiters = new Map<Cell, Deferred<boolean>[]>();
  readonly #numbers = new Map<string, number>();
  #generations = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** In the order they were spawned. */
  get ids(): readonly string[] {
    return [...this.#living.keys()];
  }
  get cells(): readonly Cell[] {
    return [...this.#living.values()];
  }

  /** Throws SpawnRefused. */
  spawn(cell: Cell): LocalPID<Process> {
    const refuse = (code: SpawnRefused['code'], why: string): never => {
      throw new SpawnRefused(code, `Cannot spawn '${cell.id}': ${why}`);
    };
    const { name, stopping } = this.#runtime;
    if (stopping) refuse('RUNTIME_STOPPING', `runtime '${name}' is stopping`);
    if (cell.spawned) refuse('PROCESS_SPAWNED_BEFORE', 'this object was spawned before; make a new one');
    if (cell.id === '') cell.id = this.generateId('');
    if (cell.id === endpointId) refuse('PID_INVALID', 'this id stands for asks and streams; choose another');
    if (isAddress(cell.id)) {
      refuse(
        'PID_INVALID',
        "this id reads as the address of a process of another node; choose one that does not end like '@node'",
      );
    }
    if (this.#living.has(cell.id)) {
      refuse('PROCESS_ID_TAKEN', `a living process of runtime '${name}' has this id`);
    }
    this.#living.set(cell.id, cell);
    return cell.start(this.#runtime, ++this.#generations);
  }

  /** `prefix(1)`, `prefix(2)`, …: numbers are never given twice. */
  generateId(prefix: string): string {
    const number = (this.#numbers.get(prefix) ?? 0) + 1;
    this.#numbers.set(prefix, number);
    return `${prefix}(${number})`;
  }

  /** Whoever has the id now. */
  get(id: string): Cell | undefined {
    return this.#living.get(id);
  }

  /** Who is meant: of an exact address only that very process. */
  find(pid: PID): Cell | undefined {
    const { name, incarnation } = this.#runtime;
    if (pid.node !== name) return undefined;
    const cell = this.#living.get(pid.id);
    if (cell === undefined || !pid.isExact) return cell;
    return cell.pid.generation === pid.generation && incarnation === pid.incarnation ? cell : undefined;
  }

  /** True once it has ended. A process cannot wait for itself, nor for one that waits for its handler. */
  wait(pid: PID, timeout: Duration | undefined, waiter: Cell | undefined): Future<boolean> {
    const cell = this.find(pid);
    if (cell === undefined) return Future.ready(timeout !== undefined && pid.id !== '');
    if (waiter !== undefined && (cell === waiter || cell.isHeldBy(waiter.callChain))) {
      const text = `wait for ${pid.toString()} can never end: it waits in ${waiter.callChain.toString()}`;
      return Future.failed(new WaitCycle('WAIT_CYCLE', text));
    }
    const ended = new Deferred<boolean>();
    const waiters = this.#waiters.get(cell);
    if (waiters === undefined) this.#waiters.set(cell, [ended]);
    else waiters.push(ended);
    if (timeout !== undefined) {
      const timer = this.#runtime.clock.timer(toMilliseconds(timeout), () => void ended.set(false));
      ended.future.onAny(() => void timer.cancel());
    }
    return ended.future;
  }

  /** It is ending: its id is free. */
  remove(cell: Cell): void {
    if (this.#living.get(cell.id) === cell) this.#living.delete(cell.id);
  }

  /** It has ended, and its linkers have been told. */
  ended(cell: Cell): void {
    if (this.#waiters.size === 0) return;
    const waiters = this.#waiters.get(cell);
    this.#waiters.delete(cell);
    for (const waiter of waiters ?? []) waiter.set(true);
  }

  /** As kill -9 of the OS process ends them. */
  vanish(): void {
    for (const cell of this.#living.values()) cell.vanish();
    this.#living.clear();
  }
}
