// node allocator-mix.mjs ask|suppress prints what it takes until frameworks of three kinds have launched their tasks.
import { nanoseconds, print, quantile } from '../measure.mjs';
import { Resources } from '@mezzo/protocol';
import { Cluster, milliseconds, wire } from './allocator-cluster.mjs';

/** Whether a framework that has launched all suppresses its role, or goes on and gives back what it is offered. */
const suppresses = process.argv[2] === 'suppress';
const agentCount = 80;
const capacity = { cpus: 64, mem: 488_000 };
/** So many runs in a row that launch nothing are the end: what is wanted is offered to others, again and again. */
const futile = 50;

/** Many small tasks; many frameworks with few, all in one role; a few tasks that are larger. */
const kinds = [
  { name: 'marathon', frameworks: 4, tasks: 4000, task: { cpus: 0.07, mem: 400 }, perOffer: 100 },
  { name: 'jenkins', frameworks: 500, tasks: 5, task: { cpus: 0.1, mem: 4000 }, perOffer: 1, role: 'jenkins' },
  { name: 'spark', frameworks: 50, tasks: 20, task: { cpus: 1, mem: 1000 }, perOffer: 5 },
];
const wanted = kinds.reduce((sum, { frameworks, tasks }) => sum + frameworks * tasks, 0);

class Mix {
  launched = 0;
  rounds = [];
  /** By framework. */
  #profiles = new Map();
  /** By agent. */
  #used = new Map();

  async run() {
    this.cluster = await Cluster.start();
    const { cluster } = this;
    for (const kind of kinds)
      for (let made = 0; made < kind.frameworks; made++) this.#add(kind, `${kind.name}-${made}`);
    const start = nanoseconds();
    let total = await cluster.untilOffered(agentCount, () => cluster.addAgents(agentCount, text(capacity)));
    for (const agentId of cluster.agents) this.#used.set(agentId, { cpus: 0, mem: 0 });
    for (let idle = 0; ;) {
      const before = this.launched;
      for (const { frameworkId, allocations } of cluster.take())
        for (const allocation of allocations) this.#serve(frameworkId, allocation);
      await cluster.served();
      idle = this.launched === before ? idle + 1 : 0;
      if (idle === 0) total = milliseconds(start, nanoseconds());
      if (this.launched === wanted || idle === futile) {
        this.rounds.length -= idle;
        break;
      }
      // No agent is ever full, so each is offered to somebody.
      this.rounds.push(await cluster.run(agentCount));
    }
    await this.#check();
    await cluster.stop();
    return {
      round: quantile(this.rounds, 0.5),
      slowest: Math.max(...this.rounds),
      total,
      rounds: this.rounds.length,
      launched: this.launched,
      cpus: (100 * this.#sum('cpus')) / (agentCount * capacity.cpus),
      mem: (100 * this.#sum('mem')) / (agentCount * capacity.mem),
    };
  }

  #add(kind, frameworkId) {
    const { cluster } = this;
    const role = kind.role ?? frameworkId;
    this.#profiles.set(frameworkId, {
      kind,
      role,
      task: Resources.parse(text(kind.task)).allocate(role),
      launched: 0,
    });
    cluster.frameworks.push({ frameworkId, role });
    cluster.addFramework({ frameworkId, roles: [role], active: true });
  }

  /** Launches as many tasks as the framework has left and takes from one offer, and gives back the rest. */
  #serve(frameworkId, { agentId, resources }) {
    const { cluster } = this;
    const profile = this.#profiles.get(frameworkId);
    const { kind, role, task } = profile;
    let rest = Resources.of(resources);
    let taken = Resources.empty;
    const used = this.#used.get(agentId);
    const most = Math.min(kind.perOffer, kind.tasks - profile.launched);
    for (let tasks = 0; tasks < most && rest.contains(task); tasks++) {
      rest = rest.minus(task);
      taken = taken.plus(task);
      used.cpus += kind.task.cpus;
      used.mem += kind.task.mem;
      profile.launched++;
      this.launched++;
    }
    if (!taken.isEmpty) {
      cluster.tell('TransitionOfferedToAllocated', { frameworkId, agentId, resources: wire(taken) });
      if (suppresses && profile.launched === kind.tasks) cluster.tell('SuppressOffers', { frameworkId, roles: [role] });
    }
    cluster.tell('RecoverResources', { frameworkId, agentId, resources: wire(rest), isAllocated: false });
  }

  /** All that suppress have launched theirs, and what the allocator has left is what was not launched. */
  async #check() {
    const { cluster } = this;
    if (suppresses && this.launched !== wanted) throw new Error(`${this.launched} of ${wanted} tasks were launched`);
    for (const [frameworkId, { kind, launched }] of this.#profiles)
      if (launched > kind.tasks) throw new Error(`${frameworkId} has launched ${launched} tasks of ${kind.tasks}`);
    cluster.reviveAll();
    await cluster.quiet();
    const allocations = cluster.take().flatMap((body) => body.allocations);
    if (allocations.length !== agentCount) throw new Error(`${allocations.length} offers of ${agentCount} agents`);
    for (const { agentId, resources } of allocations) {
      const { cpus, mem } = this.#used.get(agentId);
      const expected = Resources.parse(text({ cpus: capacity.cpus - cpus, mem: capacity.mem - mem }));
      const free = Resources.of(resources).unallocate();
      if (!free.equals(expected)) throw new Error(`${agentId} has ${String(free)} free, expected ${String(expected)}`);
    }
  }

  #sum(name) {
    return [...this.#used.values()].reduce((sum, quantities) => sum + quantities[name], 0);
  }
}

function text({ cpus, mem }) {
  return `cpus:${cpus.toFixed(3)};mem:${mem}`;
}

// Once for the compiler.
await new Mix().run();
print(await new Mix().run());
process.exit(0);
