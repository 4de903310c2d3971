import type { ProcessError } from './errors.ts';
import type { WireSchema } from './message.ts';
import { PID, type Receiver } from './pid.ts';
import type { Runtime } from './runtime.ts';

/** Marks the address of what is no process but can be answered: an ask, or one end of a stream. */
export const endpointId = '?';
/** Numbers are drawn below this: small enough for V8 to keep them unboxed. */
const numbers = 2 ** 30;

/** Whether an address is that of an ask or of one end of a stream, and not of a process. */
export function isEndpoint(pid: PID): boolean {
  return pid.id === endpointId;
}

/** Something that waits for messages without being a process. */
export interface Endpoint extends Receiver {
  readonly pid: PID;
  /** Whom it waits for. */
  readonly to: PID;
  /** What a message of this kind from the wire must satisfy; undefined: no such kind is expected. */
  schemaOf(name: string): WireSchema<unknown> | undefined;
  /** A message of its kind came whose body does not satisfy its schema. */
  invalid?(from: PID, error: ProcessError): void;
  /** @param peer the node that says so, if another one does. */
  fail(error: Error, peer?: string): void;
  /** Nothing will come from the peer any more. @param reached false if it never was. */
  peerLost(why: string, reached: boolean): void;
}

/** The endpoints of a runtime that other nodes may address. One that is only used inside the runtime is not here. */
export class Endpoints {
  readonly #runtime: Runtime;
  readonly #open = new Map<number, Endpoint>();
  /** How many wait for each other node. */
  readonly #awaited = new Map<string, number>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The address of a new endpoint, which has no number yet. */
  address(endpoint: Endpoint): PID {
    return new PID(endpointId, this.#runtime.name, this.#runtime.incarnation, 0, endpoint);
  }

  /** Gives it a number, by which it is found from now on until `remove`. */
  add(endpoint: Endpoint): void {
    if (endpoint.pid.generation !== 0) return;
    // Drawn, not counted: a node that was asked before must not be able to answer what another one is asked.
    let number: number;
    do number = 1 + Math.floor(this.#runtime.random.next() * numbers);
    while (this.#open.has(number));
    endpoint.pid.generation = number;
    this.#open.set(number, endpoint);
    this.#await(endpoint.to.node, 1);
  }

  /** It waits for another peer now; for one of this node it did before. */
  moved({ pid, to }: Endpoint, from: string): void {
    if (to.node === from || !this.#open.has(pid.generation)) return;
    this.#await(from, -1);
    this.#await(to.node, 1);
  }

  remove(endpoint: Endpoint): void {
    if (this.#open.delete(endpoint.pid.generation)) this.#await(endpoint.to.node, -1);
  }

  find(pid: PID): Endpoint | undefined {
    if (!isEndpoint(pid) || pid.incarnation !== this.#runtime.incarnation) return undefined;
    // An address without a number never left the runtime, and is the very one that was made for its endpoint.
    return pid.generation === 0 ? (pid.receiver as Endpoint | undefined) : this.#open.get(pid.generation);
  }

  /** @param peer the node that says so, if another one does. */
  fail(pid: PID, error: Error, peer?: string): void {
    this.find(pid)?.fail(error, peer);
  }

  /** Nothing will come from the node: whether it acted on what it was asked is not known, unless it was never reached. */
  failNode(node: string, why: string, reached: boolean): void {
    if (!this.awaits(node)) return;
    for (const endpoint of [...this.#open.values()]) {
      if (endpoint.to.node === node) endpoint.peerLost(why, reached);
    }
  }

  /** True while something from the node is due. */
  awaits(node: string): boolean {
    return this.#awaited.has(node);
  }

  failAll(): void {
    for (const endpoint of [...this.#open.values()]) endpoint.peerLost('this runtime stopped', true);
  }

  #await(node: string, change: 1 | -1): void {
    if (node === this.#runtime.name) return;
    const awaited = (this.#awaited.get(node) ?? 0) + change;
    if (awaited === 0) this.#awaited.delete(node);
    else this.#awaited.set(node, awaited);
  }
}
