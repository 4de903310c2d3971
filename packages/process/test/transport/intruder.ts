import type { Transport } from '@mezzo/process';

import { kind } from '../../src/node/envelope.ts';
import { decode, encode, type End, type Frame, protocolVersion } from '../../src/node/frame.ts';
import { deaf, type World } from './worlds.ts';

/** A node that speaks frames by hand, in a session that node `a`, or another, takes for a proper one. */
export class Intruder {
  readonly #transport: Transport;
  readonly #victim: string;
  readonly #name: string;
  readonly #local: End = { incarnation: 7, epoch: 1 };
  #remote: End | undefined;
  #sequence = 0;
  /** Whether it tells that it took what came. */
  acknowledges = false;
  /** What node `a` sent. */
  readonly heard: unknown[] = [];

  constructor(transport: Transport, victim = 'a', name = 'intruder') {
    this.#transport = transport;
    this.#victim = victim;
    this.#name = name;
  }

  async join(world: World): Promise<void> {
    await this.#transport.start(this.#name, 7, { ...deaf, frame: (_peer, bytes) => this.#heard(decode(bytes)) });
    this.raw(
      encode({
        kind: 'hello',
        version: protocolVersion,
        from: this.#local,
        to: { incarnation: 0, epoch: 0 },
        sent: 0,
        received: 0,
      }),
    );
    await world.until(() => this.#remote !== undefined, 'node a greets back');
  }

  raw(bytes: Uint8Array): void {
    this.#transport.publish(this.#victim, bytes);
  }

  batch(...envelopes: unknown[]): void {
    if (this.#remote === undefined) throw new Error('join first');
    this.raw(
      encode({
        kind: 'batch',
        from: this.#local,
        to: this.#remote,
        sequence: ++this.#sequence,
        received: 0,
        envelopes,
      }),
    );
  }

  /** Says that nothing of what node `a` sent has come. */
  misses(): void {
    if (this.#remote === undefined) throw new Error('join first');
    this.raw(
      encode({
        kind: 'heartbeat',
        from: this.#local,
        to: this.#remote,
        sent: this.#sequence,
        received: 0,
        answer: false,
        missed: true,
      }),
    );
  }

  message(name: string, body: unknown, to = 'adder'): void {
    this.batch([kind.messages, to, 0, 0, 'x', 1, name, [body]]);
  }

  #heard(frame: Frame | undefined): void {
    if (frame?.kind === 'hello') this.#remote = frame.from;
    if (frame?.kind !== 'batch') return;
    this.heard.push(...frame.envelopes);
    if (!this.acknowledges) return;
    const [sent, received] = [this.#sequence, frame.sequence];
    this.raw(
      encode({ kind: 'heartbeat', from: this.#local, to: frame.from, sent, received, answer: false, missed: false }),
    );
  }
}
