import type { Transport } from '@mezzo/process';

import { kind } from '../../src/node/envelope.ts';
import { decode, encode, type End, type Frame, protocolVersion } from '../../src/node/frame.ts';
import { deaf, type World } from './worlds.ts';

/** A node that speaks frames by hand, in a session that node `a` takes for a proper one. */
export class Intruder {
  readonly #transport: Transport;
  readonly #local: End = { incarnation: 7, epoch: 1 };
  #remote: End | undefined;
  #sequence = 0;
  /** What node `a` sent. */
  readonly heard: unknown[] = [];

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async join(world: World): Promise<void> {
    await this.#transport.start('intruder', 7, { ...deaf, frame: (_peer, bytes) => this.#heard(decode(bytes)) });
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
    this.#transport.publish('a', bytes);
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

  message(name: string, body: unknown, to = 'adder'): void {
    this.batch([kind.messages, to, 0, 0, 'x', 1, name, [body]]);
  }

  #heard(frame: Frame | undefined): void {
    if (frame?.kind === 'hello') this.#remote = frame.from;
    else if (frame?.kind === 'batch') this.heard.push(...frame.envelopes);
  }
}
