import { type Endpoint, type Endpoints, isEndpoint } from './endpoints.ts';
import { OutcomeUnknown, StreamFailed } from './errors.ts';
import { Event } from './event.ts';
import type { Message, WireSchema } from './message.ts';
import type { PID } from './pid.ts';
import type { Runtime } from './runtime.ts';
import { Cancel, Opened } from './stream/stream-protocol.ts';

/** The asker's node checks the answer; what passes through here is only passed on. */
const anything: WireSchema<unknown> = {
  '~standard': { version: 1, vendor: 'mezzo', validate: (value) => ({ value }) },
};

/**
 * Stands for an ask of a second node in what this one passes on to a third: a node speaks for its own only, so the third
 * answers the relay, and the relay the asker.
 */
export class Relay implements Endpoint {
  readonly pid: PID;
  readonly to: PID;
  readonly #runtime: Runtime;
  readonly #endpoints: Endpoints;
  readonly #asker: PID;
  readonly #forget: () => void;

  constructor(runtime: Runtime, endpoints: Endpoints, asker: PID, to: PID) {
    this.#runtime = runtime;
    this.#endpoints = endpoints;
    this.#asker = asker;
    this.to = to;
    this.pid = endpoints.address(this);
    this.#forget = runtime.delivery.answering(asker, this);
  }

  expose(): void {
    this.#endpoints.add(this);
  }

  schemaOf(): WireSchema<unknown> {
    return anything;
  }

  accept(event: Event): boolean {
    if (event.kind !== 'message') return false;
    if (event.name === Opened.name && event.from !== undefined) return this.#refuseStream(event.from);
    this.#close();
    return this.#runtime.delivery.message(
      this.#asker,
      { name: event.name, schema: anything },
      event.body,
      this.#runtime.nobody,
    );
  }

  take(name: string, body: unknown, from: PID): boolean {
    return this.accept(new Event('message', name, from, body));
  }

  #refuseStream(producer: PID): false {
    this.#runtime.delivery.message(producer, Cancel as Message<unknown>, undefined, this.pid);
    this.fail(
      new StreamFailed('STREAM_FAILED', `A stream of ${this.to.toString()} cannot be passed on by a third node`),
    );
    return false;
  }

  fail(error: Error): void {
    this.#close();
    this.#runtime.delivery.refuse(this.#asker, error);
  }

  peerLost(why: string): void {
    this.fail(new OutcomeUnknown('OUTCOME_UNKNOWN', `No answer from ${this.to.toString()}: ${why}`));
  }

  /** The asker does not want the answer any more. */
  discard(): void {
    this.#close();
    this.#runtime.delivery.cancel(this);
  }

  #close(): void {
    this.#endpoints.remove(this);
    this.#forget();
  }
}

/** Who speaks for `from` when its message is passed on to another node. A process of a third node cannot be spoken for. */
export function spokesman(runtime: Runtime, endpoints: Endpoints, from: PID, to: PID): PID {
  if (from.node === runtime.name) return from;
  return isEndpoint(from) ? new Relay(runtime, endpoints, from, to).pid : runtime.nobody;
}
