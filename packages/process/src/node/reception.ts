import { type Asks, isAsker } from '../ask.ts';
import type { Cell } from '../cell.ts';
import { messageOf, OutcomeUnknown, ProcessError, ProcessGone } from '../errors.ts';
import { Event } from '../event.ts';
import { Deferred } from '../future/future.ts';
import type { WireSchema } from '../message.ts';
import { PID } from '../pid.ts';
import type { Runtime } from '../runtime.ts';
import { type Envelope, kind, type MessagesEnvelope, type ReturnedEnvelope } from './envelope.ts';
import type { Session } from './session.ts';

/** Messages that one envelope may report as returned. */
const returnedLimit = 65_536;

/** The way of messages from the wire to the processes: nothing unknown or invalid passes. */
export class Reception {
  readonly #runtime: Runtime;
  readonly #asks: Asks;
  readonly #push: (peer: string, envelope: Envelope) => void;
  readonly #rejected: (peer: string, why: string) => void;

  constructor(
    runtime: Runtime,
    asks: Asks,
    push: (peer: string, envelope: Envelope) => void,
    rejected: (peer: string, why: string) => void,
  ) {
    this.#runtime = runtime;
    this.#asks = asks;
    this.#push = push;
    this.#rejected = rejected;
  }

  messages(session: Session, envelope: MessagesEnvelope): void {
    const { peer } = session;
    const runtime = this.#runtime;
    const [, id, generation, incarnation, fromId, fromGeneration, name, bodies] = envelope;
    const from = new PID(fromId, peer, session.remote.incarnation, fromGeneration);
    const to = new PID(id, runtime.name, incarnation, generation);
    if (isAsker(to)) {
      for (const body of bodies) this.#answer(to, name, from, body);
      return;
    }
    const cell = runtime.cell(id);
    if (cell === undefined) return this.#unreached(to, name, from, 'unknown', bodies.length);
    if (generation !== 0 && (cell.pid.generation !== generation || incarnation !== runtime.incarnation)) {
      return this.#unreached(to, name, from, 'stale', bodies.length);
    }
    if (!cell.initialized) {
      for (const body of bodies) this.#early(cell, to, name, from, body);
      return;
    }
    const entry = cell.handlers?.get(name) ?? cell.delegates?.get(name);
    if (entry?.schema === undefined) return this.#unhandled(to, name, from, bodies.length);
    for (const body of bodies) {
      const valid = this.#validate(entry.schema, body);
      if (valid === undefined) this.#invalid(name, from, to);
      else cell.accept(new Event('message', name, from, valid.value, undefined));
    }
  }

  /** The peer tells that no answer will come. */
  refused(asker: string, generation: number, code: string, text: string): void {
    const pid = new PID(asker, this.#runtime.name, this.#runtime.incarnation, generation);
    this.#asks.fail(pid, errorOf(code, text));
  }

  /** The peer tells that nobody took what was sent. */
  returned(peer: string, envelope: ReturnedEnvelope): void {
    const [, id, generation, incarnation, fromId, fromGeneration, name, reason, count] = envelope;
    const { name: node, incarnation: ours } = this.#runtime;
    const letter = {
      reason: reason === 'stale' ? 'stale' : 'unknown',
      name,
      from: new PID(fromId, node, ours, fromGeneration),
      to: new PID(id, peer, incarnation, generation),
    } as const;
    for (let index = 0; index < Math.min(count, returnedLimit); index++) this.#runtime.deadLetter(letter);
  }

  /** Tells the asker at another node that no answer will come. */
  refuse(asker: PID, error: Error): void {
    if (!isAsker(asker)) return;
    const code = error instanceof ProcessError ? error.code : 'PROCESS_ENDED';
    this.#push(asker.node, [kind.refused, asker.id, asker.generation, code, error.message]);
  }

  /** What a process takes is known once it is initialized, so the message waits in its mailbox to be checked then. */
  #early(cell: Cell, to: PID, name: string, from: PID, body: unknown): void {
    const served = new Deferred<unknown>();
    const gone = (): void =>
      this.refuse(from, new ProcessGone('PROCESS_ENDED', `${to.toString()} did not answer '${name}': it has ended`));
    served.future.onAbandoned(gone).onFailed(gone);
    const serve = (): void => {
      const entry = cell.handlers?.get(name) ?? cell.delegates?.get(name);
      if (entry?.schema === undefined) return this.#unhandled(to, name, from, 1);
      const valid = this.#validate(entry.schema, body);
      if (valid === undefined) this.#invalid(name, from, to);
      else cell.serveWithin(new Event('message', name, from, valid.value, undefined));
    };
    cell.accept(new Event('dispatch', '', from, serve, served));
  }

  #answer(asker: PID, name: string, from: PID, body: unknown): void {
    const receiver = this.#asks.receiver(asker);
    // It came too late, or twice.
    if (receiver === undefined) return this.#runtime.deadLetter({ reason: 'stale', name, from, to: asker });
    const schema = this.#asks.schema(asker, name);
    if (schema === undefined) return void receiver.accept(new Event('message', name, from, undefined, undefined));
    const answer = this.#validate(schema, body);
    if (answer === undefined) this.#invalid(name, from, asker);
    else receiver.accept(new Event('message', name, from, answer.value, undefined));
  }

  #unreached(to: PID, name: string, from: PID, reason: 'unknown' | 'stale', count: number): void {
    for (let index = 0; index < count; index++) this.#runtime.deadLetter({ reason, name, from, to });
    if (isAsker(from)) {
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

  #invalid(name: string, from: PID, to: PID): void {
    this.#rejected(from.node, `a body of '${name}' that does not satisfy its schema, for process '${to.id}'`);
    this.refuse(
      from,
      new ProcessError('MESSAGE_INVALID', `The body of '${name}' does not satisfy the schema of ${to.toString()}`),
    );
  }

  #validate(schema: WireSchema<unknown>, body: unknown): { readonly value: unknown } | undefined {
    try {
      const outcome = schema['~standard'].validate(body);
      if (outcome instanceof Promise || outcome.issues !== undefined) return undefined;
      return outcome;
    } catch (error) {
      // A body may be a cyclic graph, or have getters of our own making only: whatever it does to a schema is its fault.
      this.#runtime.log.warn({ error: messageOf(error) }, 'a schema threw while it validated a body');
      return undefined;
    }
  }
}

function errorOf(code: string, text: string): Error {
  switch (code) {
    case 'OUTCOME_UNKNOWN':
      return new OutcomeUnknown(code, text);
    case 'MESSAGE_INVALID':
      return new ProcessError(code, text);
    case 'PROCESS_NOT_FOUND':
      return new ProcessGone(code, text);
    default:
      return new ProcessGone('PROCESS_ENDED', text);
  }
}
