import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A place to run programs: this machine, or a network namespace of its own that can be cut off from the others. */
export interface Machine {
  readonly name: string;
  readonly address: string;
  /** What a command line begins with to run here. */
  readonly prefix: readonly string[];
  /** Nothing comes in or goes out any more; what runs here is not told. */
  cutOff(): void;
  reconnect(): void;
}

/** Machines that share a network. */
export interface Machines extends Disposable {
  /** Why they cannot be cut off from each other; undefined if they can. */
  readonly whyNotSeparate: string | undefined;
  add(name: string): Machine;
}

/**
 * Network namespaces joined by a bridge where this machine allows it (Linux, root, `ip` of iproute2), else this machine for all.
 *
 * @param separate false: this machine for all, in any case
 */
export function createMachines(separate: boolean): Machines {
  if (!separate) return new OneMachine('not wanted');
  const machines = new Namespaces();
  try {
    machines.begin();
    return machines;
  } catch (error) {
    machines[Symbol.dispose]();
    return new OneMachine(error instanceof Error ? error.message.trim() : String(error));
  }
}

class OneMachine implements Machines {
  readonly whyNotSeparate: string;

  constructor(whyNotSeparate: string) {
    this.whyNotSeparate = whyNotSeparate;
  }

  add(name: string): Machine {
    const refuse = (): never => {
      throw new Error(`${name} cannot be cut off: ${this.whyNotSeparate}`);
    };
    return { name, address: '127.0.0.1', prefix: [], cutOff: refuse, reconnect: refuse };
  }

  [Symbol.dispose](): void {}
}

/** Made by this OS process. */
let networks = 0;

class Namespaces implements Machines {
  readonly whyNotSeparate = undefined;
  /** Of ours alone: several runs may go on at a time, and what was deleted is not gone at once. */
  readonly #tag = `mz${process.pid}${'abcdefghij'[networks++ % 10]}`;
  readonly #network = `10.${100 + ((process.pid >> 8) & 127)}.${(process.pid + networks) & 255}`;
  readonly #made: string[] = [];
  readonly #links: string[] = [];
  #hosts = 1;

  get #bridge(): string {
    return `${this.#tag}b`;
  }

  begin(): void {
    ip('link', 'add', this.#bridge, 'type', 'bridge');
    ip('addr', 'add', `${this.#network}.1/24`, 'dev', this.#bridge);
    ip('link', 'set', this.#bridge, 'up');
    this.add('trial');
  }

  add(name: string): Machine {
    const host = ++this.#hosts;
    const namespace = `${this.#tag}-${name}`;
    const [outside, inside] = [`${this.#tag}o${host}`, `${this.#tag}i${host}`];
    const address = `${this.#network}.${host}`;
    ip('netns', 'add', namespace);
    this.#made.push(namespace);
    ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside);
    this.#links.push(outside);
    ip('link', 'set', inside, 'netns', namespace);
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', inside);
    ip('-n', namespace, 'link', 'set', inside, 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('link', 'set', outside, 'master', this.#bridge, 'up');
    return {
      name,
      address,
      prefix: ['ip', 'netns', 'exec', namespace],
      // Away from the bridge and not down: the far end keeps its carrier and its routes, as behind a switch that fails.
      cutOff: () => ip('link', 'set', outside, 'nomaster'),
      reconnect: () => ip('link', 'set', outside, 'master', this.#bridge),
    };
  }

  [Symbol.dispose](): void {
    for (const link of this.#links) attempt(() => ip('link', 'del', link));
    for (const namespace of this.#made) attempt(() => ip('netns', 'del', namespace));
    attempt(() => ip('link', 'del', this.#bridge));
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // It was not there.
  }
}

/** Ports that nobody listens on just now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
