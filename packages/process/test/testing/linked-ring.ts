import { type PID, Process, type Runtime } from '@mezzo/process';
import { type FaultRates, Simulation } from '@mezzo/process/testing';

/*
 * 50 nodes in a ring, each with a process that is linked to those of the next four and links again to whoever was lost.
 */

const count = 50;
const links = 4;
const again = 15_000;

/** About 20 faults an hour. */
export const ringFaults: FaultRates = {
  crash: 0.1,
  power: 0.02,
  partition: 0.05,
  disconnect: 0.1,
  pause: 0.05,
  broker: 0.005,
  clock: 0.01,
  lasting: ['1s', '2mins'],
};

class Member extends Process {
  readonly linked = new Set<string>();
  readonly #peers: readonly string[];
  readonly #onLost: () => void;

  constructor(peers: readonly string[], onLost: () => void) {
    super('member');
    this.#peers = peers;
    this.#onLost = onLost;
  }

  protected override initialize(): void {
    for (const peer of this.#peers) this.#linkTo(peer);
  }

  protected override exited({ node }: PID): void {
    this.#onLost();
    this.linked.delete(node);
    this.delay(again, () => this.#linkTo(node));
  }

  #linkTo(node: string): void {
    this.linked.add(node);
    this.link(this.runtime.pid(`member@${node}`));
  }
}

export interface RingOutcome {
  /** Timers that ran: each frame and heartbeat is one. */
  readonly events: number;
  /** How often a process heard that another was gone. */
  readonly lost: number;
  /** Nodes up, and links that stand, a while after the last fault. */
  readonly up: number;
  readonly linked: number;
}

/** So many simulated hours with faults, and ten minutes without. */
export async function linkedRing(hours: number, faults: FaultRates): Promise<RingOutcome> {
  const nodes = Array.from({ length: count }, (_, index) => `n${index}`);
  const world = new Simulation({ latency: [0.2, 5], faults, onError: () => {} });
  const members = new Map<string, Member>();
  let lost = 0;
  for (const [index, name] of nodes.entries()) {
    const peers = Array.from({ length: links }, (_, step) => nodes[(index + step + 1) % count] ?? '');
    const boot = (runtime: Runtime): void => {
      const member = new Member(peers, () => void lost++);
      members.set(name, member);
      runtime.spawn(member);
    };
    await world.start(name, { boot, heartbeatInterval: '15secs', linkTimeout: '45secs' });
  }
  await world.advance(`${hours}hrs`);
  world.calm();
  await world.advance('10mins');
  const up = nodes.filter((name) => world.runtime(name) !== undefined).length;
  const linked = [...members.values()].reduce((sum, member) => sum + member.linked.size, 0);
  world.abandon();
  return { events: world.clock.fired, lost, up, linked };
}
