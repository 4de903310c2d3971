import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { poll } from '../transport/worlds.ts';

/** What a server sent: the line, and of a message its headers and payload. */
export interface Heard {
  readonly line: string;
  readonly headers: string;
  readonly payload: string;
}

/** The NATS protocol by hand over a plain socket, as any language could speak it. */
export class PlainClient {
  readonly heard: Heard[] = [];
  readonly #socket: Socket;
  #unread = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data) => {
      this.#unread = Buffer.concat([this.#unread, data]);
      while (this.#read());
    });
    socket.on('error', () => {});
  }

  static async connect(port: number, options: object = {}): Promise<PlainClient> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    const client = new PlainClient(socket);
    await client.hear((line) => line.startsWith('INFO '));
    client.say(
      `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, headers: true, no_responders: true, ...options })}`,
    );
    await client.flush();
    return client;
  }

  /** One line of the protocol, and its payload. */
  say(line: string, payload?: string | Buffer): void {
    this.#socket.write(`${line}\r\n`);
    if (payload === undefined) return;
    this.#socket.write(payload);
    this.#socket.write('\r\n');
  }

  /** A message with headers as they are given, well-formed or not. */
  sayWithHeaders(subject: string, headers: string, payload: string | Buffer = '', reply = ''): void {
    const head = Buffer.from(`NATS/1.0\r\n${headers}\r\n\r\n`);
    const body = Buffer.from(payload);
    this.say(`HPUB ${subject} ${reply} ${head.length} ${head.length + body.length}`, Buffer.concat([head, body]));
  }

  /** The next that fits from now on or before, which is forgotten then. */
  async hear(fits: (line: string) => boolean): Promise<Heard> {
    let found: Heard | undefined;
    await poll(() => {
      const at = this.heard.findIndex(({ line }) => fits(line));
      if (at >= 0) [found] = this.heard.splice(at, 1);
      return found !== undefined;
    }, `the server says what ${fits.toString()}`);
    if (found === undefined) throw new Error('never');
    return found;
  }

  /** The server has taken everything that was said. */
  async flush(): Promise<void> {
    this.say('PING');
    await this.hear((line) => line === 'PONG');
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(): boolean {
    const end = this.#unread.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#unread.toString('utf8', 0, end);
    const [verb, ...words] = line.split(' ');
    const size = verb === 'MSG' || verb === 'HMSG' ? Number(words.at(-1)) : -1;
    const head = verb === 'HMSG' ? Number(words.at(-2)) : 0;
    const from = end + 2;
    if (this.#unread.length < from + (size < 0 ? 0 : size + 2)) return false;
    const [headers, payload] = [
      this.#unread.toString('utf8', from, from + head),
      this.#unread.toString('utf8', from + head, from + Math.max(0, size)),
    ];
    this.#unread = this.#unread.subarray(from + (size < 0 ? 0 : size + 2));
    if (verb === 'PING') this.say('PONG');
    else this.heard.push({ line, headers, payload });
    return true;
  }
}
