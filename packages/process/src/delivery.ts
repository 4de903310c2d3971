import { PendingAsk } from './ask.ts';
import type { CallChain } from './call-chain.ts';
import type { Cell } from './cell.ts';
import { type Endpoint, type Endpoints, isEndpoint } from './endpoints.ts';
import { ProcessError, ProcessGone } from './errors.ts';
import { Event, type EventMeta } from './event.ts';
import { freeze } from './freeze.ts';
import type { Deferred, Discardable } from './future/future.ts';
import type { Message, WireSchema } from './message.ts';
import type { Node } from './node/node.ts';
import type { PID } from './pid.ts';
import type { Process } from './process.ts';
import type { Processes } from './processes.ts';
import { spokesman } from './relay.ts';
import type { Runtime } from './runtime.ts';

/** The ways from one process to another: messages, dispatches, links, and the word that an ask will not be answered. */
export class Delivery {
  readonly #runtime: Runtime;
  readonly #processes: Processes;
  readonly #endpoints: Endpoints;
  readonly #node: Node | undefined;
  readonly #name: string;
  readonly #freezes: boolean;
  /** A local message needs nothing but its way into the mailbox. */
  readonly #plain: boolean;

  constructor(runtime: Runtime, processes: Processes, endpoints: Endpoints, node: Node | undefined, freezes: boolean) {
    this.#runtime = runtime;
    this.#processes = processes;
    this.#endpoints = endpoints;
    this.#node = node;
    this.#name = runtime.name;
    this.#freezes = freezes;
    this.#plain = !freezes && runtime.tracing === undefined;
  }

  /** False: nobody took it, and it is a dead letter already. */
  message(to: PID, kind: Message<never> | Message<unknown>, body: unknown, from: PID, chain?: CallChain): boolean {
    const { receiver } = to;
    // A pointer is for this runtime's own: what lives in another goes through the codec, also inside one OS process.
    if (receiver !== undefined && this.#plain && chain === undefined && to.node === this.#name) {
      return receiver.take(kind.name, body, from);
    }
    return this.#marked(to, kind, body, from, chain);
  }

  /** A message that keeps its sender. */
  forward(to: PID, event: Event, schema: WireSchema<unknown> | undefined): boolean {
    if (to.node === this.#name) return this.#here(to, event);
    return this.#elsewhere(to, event.name, schema, event.body, event.from ?? this.#runtime.nobody, event.meta);
  }

  /** @param chain of a dispatch by a process: who waits for its result. */
  dispatch(
    pid: PID,
    call: (process: Process) => unknown,
    method: string,
    result: Deferred<unknown> | undefined,
    chain?: CallChain,
  ): void {
    const receiver = pid.receiver !== undefined && pid.node === this.#name ? pid.receiver : this.#processes.find(pid);
    if (receiver === undefined) return result?.abandon();
    const trace = this.#runtime.tracing?.active();
    const meta = result === undefined && trace === undefined ? undefined : { result, chain, trace };
    receiver.accept(new Event('dispatch', method, undefined, call, meta));
  }

  link(linker: Cell, to: PID, reconnect: boolean): void {
    if (to.id === '') return;
    if (to.node !== this.#name) {
      if (this.#node !== undefined) return this.#node.link(linker, to, reconnect);
      const message = `runtime '${this.#name}' has no transport`;
      return linker.notifyExited(to, { kind: 'unreachable', message });
    }
    const cell = this.#processes.find(to);
    if (cell === linker) return;
    if (cell === undefined) {
      const message = `no process '${to.id}' on node '${this.#name}'`;
      return linker.notifyExited(to, { kind: 'unreachable', message });
    }
    const links = (linker.extras.links ??= new Map());
    if (links.has(cell.pid.address)) return;
    (cell.extras.linkers ??= new Set()).add(linker);
    links.set(cell.pid.address, { undo: () => void cell.linkers?.delete(linker) });
  }

  /** The process has no handler for the message. */
  unhandled(to: PID, event: Event): void {
    this.#runtime.deadLetter({ reason: 'unhandled', name: event.name, from: event.from, to });
    if (event.from === undefined || !isEndpoint(event.from)) return;
    const text = `${to.toString()} did not take '${event.name}': it has no handler for it`;
    this.refuse(event.from, new ProcessGone('PROCESS_NOT_FOUND', text));
  }

  /** An ask will not be answered, or a stream not go on; anything but an address of theirs is ignored. */
  refuse(from: PID, error: Error): void {
    if (from.receiver instanceof PendingAsk) from.receiver.fail(error);
    else if (from.node === this.#name) this.#endpoints.fail(from, error);
    else this.#node?.refuse(from, error);
  }

  /** An asker at another node may call the work off. Gives what ends that. */
  answering(from: PID, call: Discardable): () => void {
    if (this.#node === undefined || from.node === this.#name) return () => undefined;
    return this.#node.answering(from, call);
  }

  /** An ask that went to another node, perhaps by a detour, needs no answer any more. */
  cancel(endpoint: Endpoint): void {
    this.#node?.cancel(endpoint);
  }

  /** What is traced, frozen, part of a chain of calls, without a pointer, or for another node. */
  #marked(
    to: PID,
    kind: Message<never> | Message<unknown>,
    body: unknown,
    from: PID,
    chain: CallChain | undefined,
  ): boolean {
    const meta = this.#metaOf(chain, to);
    if (to.node !== this.#name) return this.#elsewhere(to, kind.name, kind.schema, body, from, meta);
    const event = new Event('message', kind.name, from, this.#freezes ? freeze(body) : body, meta);
    return to.receiver === undefined ? this.#here(to, event) : to.receiver.accept(event);
  }

  #metaOf(chain: CallChain | undefined, to: PID): EventMeta | undefined {
    // Whoever waits for an answer, or reads a stream, has its own context.
    const trace = isEndpoint(to) ? undefined : this.#runtime.tracing?.active();
    return chain === undefined && trace === undefined ? undefined : { chain, trace };
  }

  #here(to: PID, event: Event): boolean {
    const receiver = this.#processes.find(to) ?? this.#endpoints.find(to);
    if (receiver !== undefined) return receiver.accept(event);
    // Nobody: the answer to what was sent from outside.
    if (to.id === '') return false;
    const reason = this.#processes.get(to.id) === undefined ? 'unknown' : 'stale';
    this.#runtime.deadLetter({ reason, name: event.name, from: event.from, to });
    return false;
  }

  #elsewhere(
    to: PID,
    name: string,
    schema: WireSchema<unknown> | WireSchema<never> | undefined,
    body: unknown,
    from: PID,
    meta: EventMeta | undefined,
  ): boolean {
    if (this.#node !== undefined && schema !== undefined) {
      const asker = from.receiver;
      if (asker instanceof PendingAsk && asker.to !== to) asker.passedOn(to);
      return this.#node.send(to, name, body, spokesman(this.#runtime, this.#endpoints, from, to), meta);
    }
    this.#runtime.deadLetter({ reason: schema === undefined ? 'local-only' : 'unreachable', name, from, to });
    // Of a stream its own ends tell.
    if (from.receiver instanceof PendingAsk) from.receiver.fail(this.#bound(to, name, schema !== undefined));
    return false;
  }

  #bound(to: PID, name: string, hasSchema: boolean): ProcessError {
    if (hasSchema) {
      const text = `'${name}' cannot leave for ${to.toString()}: runtime '${this.#name}' was started without a transport`;
      return new ProcessError('TRANSPORT_UNAVAILABLE', text);
    }
    const text = `'${name}' cannot leave node '${this.#name}' for ${to.toString()}: declare the kind with a schema`;
    return new ProcessError('MESSAGE_LOCAL_ONLY', text);
  }
}
