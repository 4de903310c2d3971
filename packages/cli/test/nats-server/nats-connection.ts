import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

import { fromSeed } from 'nkeys.js';

const PATIENCE_MS = 10_000;

/** The client protocol by hand: what a server says to a client is seen as it is said. */
export class NatsConnection {
  readonly #socket: Socket;
  #received = '';
  #closed = false;
  #wake = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Signs in with the seed in the file, or as nobody, and returns once the server has answered a PING. */
  static async open(port: number, credentialsFile?: string): Promise<NatsConnection> {
    const connection = new NatsConnection(connect({ host: '127.0.0.1', port }));
    const [, info = ''] = await connection.expect(/^INFO (.*)\r\n/);
    connection.write(`CONNECT ${JSON.stringify(signIn(info, credentialsFile))}`, 'PING');
    await connection.expect(/^PONG\r\n/);
    return connection;
  }

  write(...lines: string[]): void {
    this.#socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** Waits for the pattern, removes what was received up to its end. Throws what the server said instead. */
  async expect(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this.#received);
      if (match !== null) {
        this.#received = this.#received.slice(match.index + match[0].length);
        return match;
      }
      const isOver = this.#closed || performance.now() > deadline || this.#received.includes('-ERR');
      if (isOver) throw new Error(`expected ${String(pattern)}, received ${JSON.stringify(this.#received)}`);
      await this.#news(deadline - performance.now());
    }
  }

  /** Asks a subject with a JSON body and returns the reply's JSON text. */
  async request(subject: string, body: unknown): Promise<string> {
    const payload = JSON.stringify(body);
    this.write('SUB reply.here 1', `PUB ${subject} reply.here ${payload.length}`, payload);
    const [, reply = ''] = await this.expect(/MSG reply\.here 1 \d+\r\n(.*)\r\n/);
    return reply;
  }

  close(): void {
    this.#socket.destroy();
  }

  #news(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, withinMs));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function signIn(info: string, credentialsFile: string | undefined): object {
  const options = { verbose: false, pedantic: false, lang: 'test', version: '0', protocol: 1 };
  if (credentialsFile === undefined) return options;
  const greeting: unknown = JSON.parse(info);
  if (typeof greeting !== 'object' || greeting === null || !('nonce' in greeting)) {
    throw new Error(`the server asks for no signature: ${info}`);
  }
  const user = fromSeed(readFileSync(credentialsFile));
  const signature = user.sign(Buffer.from(String(greeting.nonce)));
  return {
    ...options,
    nkey: user.getPublicKey(),
    sig: Buffer.from(signature).toString('base64url'),
  };
}
