import { type Endpoint, type Endpoints, isEndpoint } from '../endpoints.ts';
import type { Cell } from '../cell.ts';
import { AnswerFailed, OutcomeUnknown, ProcessError, ProcessGone, StreamFailed, WaitCycle } from '../errors.ts';
import { Event, type EventMeta } from '../event.ts';
import { Deferred } from '../future/future.ts';
import type { WireSchema } from '../message.ts';
import { PID } from '../pid.ts';
import type { Runtime } from '../runtime.ts';
import { type Envelope, kind, type MessagesEnvelope, type ReturnedEnvelope } from './envelope.ts';
import type { Session } from './session.ts';
import { decodeMeta } from './wire-meta.ts';

/** The way of messages from the wire to the processes: nothing unknown or invalid passes. */
export class Reception {
  readonly #runtime: Runtime;
  readonly #endpoints: Endpoints;
  readonly #push: (peer: string, envelope: Envelope) => void;
  readonly #rejected: (peer: string, why: string) => void;

  constructor(
    runtime: Runtime,
    endpoints: Endpoints,
    push: (peer: string, envelope: Envelope) => void,
    rejected: (peer: string, why: string) => void,
  ) {
    this.#runtime = runtime;
    this.#endpoints = endpoints;
    this.#push = push;
    this.#rejected = rejected;
  }

  messages(session: Session, envelope: MessagesEnvelope): void {
    const { peer } = session;
    const runtime = this.#runtime;
    const [, id, generation, incarnation, fromId, fromGeneration, name, bodies, wireMeta] = envelope;
    const meta = wireMeta === undefined ? undefined : decodeMeta(wireMeta, runtime.tracing);
    const from = new PID(fromId, peer, session.remote.incarnation, fromGeneration);
    const to = new PID(id, runtime.name, incarnation, generation);
    if (isEndpoint(to)) {
      const receiver = this.#endpoints.find(to);
      if (receiver === undefined) return this.#late(to, name, from, bodies.length);
      let invalid: ProcessError | undefined;
      for (const body of bodies) invalid = this.#answer(receiver, to, name, from, body) ?? invalid;
      if (invalid !== undefined) this.refuse(from, invalid);
      return;
    }
    const cell = runtime.cell(id);
    if (cell === undefined) return this.#unreached(to, name, from, 'unknown', bodies.length);
    if (generation !== 0 && (cell.pid.generation !== generation || incarnation !== runtime.incarnation)) {
      return this.#unreached(to, name, from, 'stale', bodies.length);
    }
    if (!cell.initialized) {
      for (const body of bodies) this.#early(cell, to, name, from, body, meta);
      return;
    }
    const entry = cell.handlers?.get(name) ?? cell.delegates?.get(name);
    if (entry?.schema === undefined) return this.#unhandled(to, name, from, bodies.length);
    let invalid: ProcessError | undefined;
    for (const body of bodies) {
      const valid = this.#validate(entry.schema, body);
      if (valid === undefined) invalid = this.#invalid(name, from, to);
      else cell.accept(new Event('message', name, from, valid.value, meta));
    }
    // Once, however many there are: they are of one sender.
    if (invalid !== undefined) this.refuse(from, invalid);
  }

  /** The peer tells that no answer will come. */
  refused(peer: string, asker: string, generation: number, code: string, text: string): void {
    const pid = new PID(asker, this.#runtime.name, this.#runtime.incarnation, generation);
    this.#endpoints.fail(pid, errorOf(code, text), peer);
  }

  /** The peer tells that nobody took what was sent. */
  returned(session: Session, envelope: ReturnedEnvelope): void {
    const { peer } = session;
    const [, id, generation, incarnation, fromId, fromGeneration, name, reason, count] = envelope;
    if (!session.takeBack(count)) return this.#rejected(peer, 'a word of messages that were never sent');
    const { name: node, incarnation: ours } = this.#runtime;
    const letter = {
      reason: reason === 'stale' ? 'stale' : 'unknown',
      name,
      from: new PID(fromId, node, ours, fromGeneration),
      to: new PID(id, peer, incarnation, generation),
    } as const;
    for (let index = 0; index < count; index++) this.#runtime.deadLetter(letter);
  }

  /** Tells the asker at another node that no answer will come. */
  refuse(asker: PID, error: Error): void {
    if (!isEndpoint(asker)) return;
    const code = error instanceof ProcessError ? error.code : 'PROCESS_ENDED';
    this.#push(asker.node, [kind.refused, asker.id, asker.generation, code, error.message]);
  }

  /** What a process takes is known once it is initialized, so the message waits in its mailbox to be checked then. */
  #early(cell: Cell, to: PID, name: string, from: PID, body: unknown, meta: EventMeta | undefined): void {
    const served = new Deferred<unknown>();
    const gone = (): void =>
      this.refuse(from, new ProcessGone('PROCESS_ENDED', `${to.toString()} did not answer '${name}': it has ended`));
    served.future.onFailed(gone).onAbandoned(() => {
      this.#runtime.deadLetter({ reason: 'ended', name, from, to });
      gone();
    });
    const serve = (): void => {
      const entry = cell.handlers?.get(name) ?? cell.delegates?.get(name);
      if (entry?.schema === undefined) return this.#unhandled(to, name, from, 1);
      const valid = this.#validate(entry.schema, body);
      if (valid === undefined) this.refuse(from, this.#invalid(name, from, to));
      else cell.serveWithin(new Event('message', name, from, valid.value));
    };
    cell.accept(new Event('dispatch', '', from, serve, { ...meta, result: served }));
  }

  /** The error, if the body is invalid. */
  #answer(receiver: Endpoint, to: PID, name: string, from: PID, body: unknown): ProcessError | undefined {
    const schema = receiver.schemaOf(name);
    const answer = schema === undefined ? { value: undefined } : this.#validate(schema, body);
    if (answer === undefined) {
      const error = this.#invalid(name, from, to);
      receiver.invalid?.(from, error);
      return error;
    }
    receiver.accept(new Event('message', name, from, answer.value));
    return undefined;
  }

  /** An answer came too late, or twice. Of a stream that is over, the other end may not know it. */
  #late(to: PID, name: string, from: PID, count: number): void {
    if (isEndpoint(from)) {
      return this.refuse(
        from,
        new ProcessGone('PROCESS_NOT_FOUND', `Nobody at ${to.toString()} takes '${name}' any more`),
      );
    }
    for (let index = 0; index < count; index++) this.#runtime.deadLetter({ reason: 'stale', name, from, to });
  }

  #unreached(to: PID, name: string, from: PID, reason: 'unknown' | 'stale', count: number): void {
    for (let index = 0; index < count; index++) this.#runtime.deadLetter({ reason, name, from, to });
    if (isEndpoint(from)) {
      const why = reason === 'unknown' ? 'there is no such process' : 'that process has ended and another has its id';
      this.refuse(from, new ProcessGone('PROCESS_NOT_FOUND', `${to.toString()} did not take '${name}': ${why}`));
    } else {
      this.#push(from.node, [
        kind.returned,
        to.id,
        to.generation,
        to.incarnation,
        from.id,
        from.generation,
        name,
        reason,
        count,
      ]);
    }
  }

  #unhandled(to: PID, name: string, from: PID, count: number): void {
    for (let index = 0; index < count; index++) {
      this.#rejected(from.node, `a message '${name}' that process '${to.id}' has no handler with a schema for`);
      this.#runtime.deadLetter({ reason: 'unhandled', name, from, to });
    }
    this.refuse(
      from,
      new ProcessGone('PROCESS_NOT_FOUND', `${to.toString()} did not take '${name}': it has no handler for it`),
    );
  }

  #invalid(name: string, from: PID, to: PID): ProcessError {
    this.#rejected(from.node, `a body of '${name}' that does not satisfy its schema, for process '${to.id}'`);
    const text = `The body of '${name}' does not satisfy the schema of ${to.toString()}`;
    return new ProcessError('MESSAGE_INVALID', text);
  }

  #validate(schema: WireSchema<unknown>, body: unknown): { readonly value: unknown } | undefined {
    try {
      const outcome = schema['~standard'].validate(body);
      if (!(outcome instanceof Promise)) return outcome.issues === undefined ? outcome : undefined;
      // Only synchronous ones are called for. That of another kind must not end the node by an unhandled rejection.
      outcome.catch(() => undefined);
    } catch {
      // Whatever a body does to a schema, its depth for one, is its own fault.
    }
    return undefined;
  }
}

function errorOf(code: string, text: string): Error {
  switch (code) {
    case 'OUTCOME_UNKNOWN':
      return new OutcomeUnknown(code, text);
    case 'ANSWER_FAILED':
      return new AnswerFailed(code, text);
    case 'STREAM_FAILED':
      return new StreamFailed(code, text);
    case 'WAIT_CYCLE':
      return new WaitCycle(code, text);
    case 'MESSAGE_INVALID':
    case 'MESSAGE_TOO_LARGE':
      return new ProcessError(code, text);
    case 'PROCESS_NOT_FOUND':
      return new ProcessGone(code, text);
    default:
      return new ProcessGone('PROCESS_ENDED', text);
  }
}
