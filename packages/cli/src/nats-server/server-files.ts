import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createUser } from 'nkeys.js';

import { NatsServerError } from './nats-server-error.ts';

/** What the server is told; paths in it are relative to its directory, where it runs. */
export interface ServerConfiguration {
  /** On 127.0.0.1; 0 lets the system choose. */
  readonly port: number;
  /** Tells our server from any other that answers on the port. */
  readonly name: string;
  readonly jetstream: boolean;
  /** Public nkey of the one user who may connect; undefined admits everyone on the machine. */
  readonly publicKey?: string;
  /** Bytes. */
  readonly maxPayload?: number;
}

/** The folder of one server: its configuration, the seed of its one user, its log, its JetStream store. */
export class ServerFiles {
  readonly directory: string;
  readonly configuration: string;
  readonly log: string;
  readonly seed: string;

  constructor(directory: string) {
    this.directory = directory;
    this.configuration = join(directory, 'nats-server.conf');
    this.log = join(directory, 'nats-server.log');
    this.seed = join(directory, 'nats-server.nk');
  }

  /** Creates the folder where it is missing (mode 0700). Throws NatsServerError 'directory-unwritable'. */
  prepare(): void {
    this.#write(() => {
      mkdirSync(this.directory, { recursive: true, mode: 0o700 });
      mkdirSync(join(this.directory, 'jetstream'), { recursive: true, mode: 0o700 });
      writeFileSync(this.log, '', { flag: 'a', mode: 0o600 });
      chmodSync(this.log, 0o600);
    });
  }

  /** Makes a new user, keeps its seed in a file of mode 0600 and returns its public key. */
  createCredentials(): string {
    const user = createUser();
    const seed = Buffer.from(user.getSeed());
    this.#write(() => replaceFile(this.seed, seed));
    seed.fill(0);
    const publicKey = user.getPublicKey();
    user.clear();
    return publicKey;
  }

  configure(configuration: ServerConfiguration): void {
    this.#write(() => replaceFile(this.configuration, configurationText(configuration)));
  }

  /** A killed server leaves its port file behind, and its pid may be given to the next one. */
  forgetPorts(): void {
    for (const name of this.#list()) {
      if (name.endsWith('.ports')) rmSync(join(this.directory, name), { force: true });
    }
  }

  /** The client port that the server with this pid listens on, once it does. */
  port(pid: number): number | undefined {
    const name = this.#list().find((entry) => entry.endsWith(`_${pid}.ports`));
    if (name === undefined) return undefined;
    // The file may be caught half written: it counts once its closing brace is there.
    const text = readText(join(this.directory, name));
    const match = /"nats":\["nats:\/\/127\.0\.0\.1:(\d+)"\].*\}/.exec(text);
    return match === null ? undefined : Number(match[1]);
  }

  logLength(): number {
    return statSync(this.log).size;
  }

  /** The last line logged since the log was `from` bytes long, without pid and time; empty if there is none. */
  lastLogLine(from: number): string {
    const lines = readText(this.log, from).split('\n');
    const last = lines.findLast((line) => line.trim() !== '') ?? '';
    return last.replace(/^\[\d+\] \S+ \S+ /, '').trim();
  }

  #list(): string[] {
    try {
      return readdirSync(this.directory);
    } catch {
      return [];
    }
  }

  #write(action: () => void): void {
    try {
      action();
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      throw new NatsServerError(
        'directory-unwritable',
        `the NATS server needs a directory it can write to, and ${this.directory} is none (${cause}): name another`,
        { cause: error },
      );
    }
  }
}

/** A file that is gone, with its directory perhaps, reads as empty: the server's own end tells the rest. */
function readText(path: string, from = 0): string {
  try {
    return readFileSync(path).subarray(from).toString('utf8');
  } catch {
    return '';
  }
}

/** By rename: an older file of the same name may be readable by others, and a mode counts only at creation. */
function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 });
  renameSync(temporary, path);
}

function configurationText(configuration: ServerConfiguration): string {
  const { port, name, jetstream, publicKey, maxPayload } = configuration;
  const lines = [
    `server_name: ${JSON.stringify(name)}`,
    `listen: "127.0.0.1:${port === 0 ? -1 : port}"`,
    'ports_file_dir: "."',
  ];
  if (maxPayload !== undefined) lines.push(`max_payload: ${maxPayload}`);
  if (jetstream) lines.push('jetstream { store_dir: "." }');
  if (publicKey !== undefined) lines.push(`authorization { users: [ { nkey: ${publicKey} } ] }`);
  return `${lines.join('\n')}\n`;
}
