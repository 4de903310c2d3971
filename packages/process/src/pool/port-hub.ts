import { MessageChannel, type MessagePort, Worker, type WorkerOptions } from 'node:worker_threads';

import { messageOf, ProcessError } from '../errors.ts';
import { Deferred, Future } from '../future/future.ts';
import { checkNodeName } from '../pid.ts';
import type { Transport } from '../transport.ts';
import { asPortMessage, move, post, type PortMessage } from './port-message.ts';
import { portTransport } from './port-transport.ts';
import { WorkerCrashed } from './work-errors.ts';
import { type Place, placeKey } from './worker-node.ts';

export interface PortHubOptions {
  /** Hears of worker threads that crash after their node has started. Default: console.error. */
  readonly onError?: (error: unknown, context: string) => void;
}

/** Node's own options for the thread, and: */
export interface SpawnOptions extends Omit<WorkerOptions, 'name' | 'workerData' | 'eval'> {
  /** Of the node in the thread, and of the thread itself. */
  readonly name: string;
  /** What the thread finds as its `workerData`. The key `mezzo` is the hub's. */
  readonly workerData?: Readonly<Record<string, unknown>>;
}

/** Who has the other end of a port. */
class Member {
  readonly port: MessagePort;
  readonly topics = new Set<string>();
  /** Hears whether the node got its name. */
  readonly named: (taken: string | undefined) => void;
  /** Once it has its name. */
  node: string | undefined;

  constructor(port: MessagePort, named: (taken: string | undefined) => void) {
    this.port = port;
    this.named = named;
  }
}

/**
 * The broker between runtimes in the threads of one OS process: the thread it is made in and its worker threads, all of them
 * nodes like any other. It knows who has which name, passes frames on in order, and tells everybody when a thread is gone.
 *
 * ```ts
 * await using hub = new PortHub();
 * await using runtime = await Runtime.start({ name: 'main', transport: hub.transport() });
 * await hub.spawnWorker(new URL('./indexer.js', import.meta.url), { name: 'indexer' });
 * runtime.send(runtime.pid('index@indexer'), Add, { text });
 * ```
 *
 * with, in `indexer.js`, `const runtime = await Runtime.start(workerNode())`.
 */
export class PortHub implements AsyncDisposable {
  readonly #onError: (error: unknown, context: string) => void;
  readonly #members = new Set<Member>();
  readonly #nodes = new Map<string, Member>();
  readonly #workers = new Set<Worker>();
  #closing: Future<void> | undefined;

  constructor(options: PortHubOptions = {}) {
    this.#onError = options.onError ?? ((error, context) => console.error(`${context}:`, error));
  }

  /** The way a runtime in this thread takes part. */
  transport(): Transport {
    return portTransport(this.connect());
  }

  /** A port to hand to a thread that was started otherwise; there, `portTransport(port)` is the transport. */
  connect(): MessagePort {
    return this.#connect(() => {});
  }

  /** Names of the nodes that take part now. */
  get nodes(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /**
   * Starts a worker thread that starts a runtime with `workerNode()`. READY when that node has its name. FAILED, and the
   * thread ended, with NODE_NAME_TAKEN, with WorkerCrashed if the thread ends before, or with TRANSPORT_UNAVAILABLE if the hub
   * is closed. A discard ends the thread. Throws NODE_NAME_INVALID.
   */
  spawnWorker(url: URL, options: SpawnOptions): Future<Worker> {
    const { name, workerData, transferList = [], ...others } = options;
    checkNodeName(name);
    if (this.#closing !== undefined) {
      const why = `Cannot start worker '${name}': the hub is closed`;
      return Future.failed(new ProcessError('TRANSPORT_UNAVAILABLE', why));
    }
    const started: Deferred<Worker> = new Deferred<Worker>({
      discard() {
        started.discard();
        void worker.terminate();
      },
    });
    const port = this.#connect((taken) => {
      if (taken === undefined) return void started.set(worker);
      const why = `Cannot start worker '${name}': a living node at this hub has the name '${taken}'`;
      started.fail(new ProcessError('NODE_NAME_TAKEN', why));
      void worker.terminate();
    });
    const place: Place = { name, port };
    const worker = new Worker(url, {
      ...others,
      name,
      workerData: { ...workerData, [placeKey]: place },
      transferList: [...transferList, port],
    });
    this.#workers.add(worker);
    this.#watch(worker, url, name, started);
    return started.future;
  }

  /** Ends its worker threads and closes every port; runtimes in other threads, and in this one, lose their transport for good. */
  close(): Future<void> {
    if (this.#closing !== undefined) return this.#closing;
    this.#closing = Future.from(this.#endWorkers());
    for (const member of this.#members) member.port.close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #endWorkers(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.terminate()));
  }

  #connect(named: Member['named']): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const member = new Member(port1, named);
    this.#members.add(member);
    port1.on('message', (value: unknown) => this.#heard(member, value));
    port1.once('close', () => this.#left(member));
    // A hub alone keeps nothing alive; its nodes do.
    port1.unref();
    if (this.#closing !== undefined) port1.close();
    return port2;
  }

  #watch(worker: Worker, url: URL, name: string, started: Deferred<Worker>): void {
    let crash: unknown;
    worker.once('error', (error) => (crash = error));
    worker.once('exit', (code) => {
      this.#workers.delete(worker);
      const why =
        crash === undefined
          ? `it exited with code ${code}; does it call Runtime.start(workerNode())?`
          : `it crashed: ${messageOf(crash)}`;
      const early = new WorkerCrashed('WORKER_CRASHED', `Worker '${name}' (${url.href}) did not start: ${why}`, {
        cause: crash,
      });
      started.fail(early);
      if (started.future.isReady && crash !== undefined) this.#onError(crash, `worker '${name}' crashed`);
    });
  }

  #heard(member: Member, value: unknown): void {
    const message = asPortMessage(value);
    if (message === undefined) return;
    if (message[0] === 'start') this.#name(member, message[1]);
    else if (message[0] === 'stop') member.port.close();
    else if (member.node !== undefined) this.#serve(member, member.node, message);
  }

  #name(member: Member, node: string): void {
    if (member.node !== undefined) return;
    const taken = this.#nodes.has(node);
    if (!taken) {
      member.node = node;
      this.#nodes.set(node, member);
    }
    post(member.port, [taken ? 'refused' : 'started', node]);
    member.named(taken ? node : undefined);
  }

  #serve(member: Member, node: string, message: PortMessage): void {
    const [kind, text, bytes] = message;
    switch (kind) {
      case 'frame': {
        const target = this.#nodes.get(text);
        if (target === undefined) post(member.port, ['no-responders', text]);
        else move(target.port, 'frame', node, bytes);
        return;
      }
      case 'announce':
        for (const { port, topics } of this.#nodes.values())
          if (topics.has(text)) post(port, ['announce', text, bytes]);
        return;
      case 'listen':
        member.topics.add(text);
        return;
      case 'ignore':
        member.topics.delete(text);
        return;
      case 'check':
        post(member.port, ['check', '']);
        return;
      default:
        return;
    }
  }

  #left(member: Member): void {
    this.#members.delete(member);
    if (member.node === undefined) return;
    this.#nodes.delete(member.node);
    // Whoever depends on it need not wait until the next frame comes back.
    for (const { port } of this.#nodes.values()) post(port, ['no-responders', member.node]);
  }
}
