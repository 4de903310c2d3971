import { Process, request, Runtime } from '@mezzo/process';
import { PortHub } from '@mezzo/process/pool';
import { createAllocator } from '@mezzo/master';
import { AgentID, allocatorMessages, FrameworkID, Resources } from '@mezzo/protocol';
import { z } from 'zod';
import { nanoseconds } from '../measure.mjs';

/** A run that was asked for, or an offer, must be there by then. Milliseconds. */
const patience = 300_000;
/** Longer than any bench: runs happen when they are asked for, and filters stay. Milliseconds. */
const interval = 1_000_000_000;
const refuseSeconds = 1_000_000;

export const wholeAgent = 'cpus:24;mem:98304;disk:1048576;ports:[31000-32000]';

/** How many runs the allocator in a worker thread has made. */
export const CountRuns = request('bench.count-runs', z.object({}), z.number());

/** The allocator's counter of runs, which only a snapshot would give away. Called before the allocator is spawned. */
export function watchRuns(runtime) {
  const { metrics } = runtime;
  const add = metrics.add.bind(metrics);
  let runs;
  metrics.add = (metric) => {
    if (metric.name === 'allocator/mesos/allocation_runs') runs = metric;
    return add(metric);
  };
  return () => runs.value;
}

/** Sends what a master sends, and keeps what is allocated. */
class BenchMaster extends Process {
  /** Bodies of Allocated. */
  allocated = [];
  offers = 0;
  /** When the last offer came. */
  last = 0;
  isReady = false;
  heard = undefined;
  constructor() {
    super('master');
  }
  initialize() {
    this.install(allocatorMessages.AllocatorInitialized, () => {
      this.isReady = true;
    });
    this.install(allocatorMessages.Allocated, (body) => {
      this.last = nanoseconds();
      this.allocated.push(body);
      this.offers += body.allocations.length;
      this.heard?.();
    });
  }
}

/** The shipping allocator and a master, in one runtime or with the allocator in a worker thread. */
export class Cluster {
  static async start({ worker = false, allocator, minAllocatable = [{ cpus: 0.01 }, { mem: 32 }] } = {}) {
    const cluster = new Cluster();
    await cluster.#begin(worker, allocator, minAllocatable);
    return cluster;
  }

  async #begin(worker, allocator, minAllocatable) {
    this.master = new BenchMaster();
    if (worker) {
      this.hub = new PortHub();
      this.runtime = await Runtime.start({ name: 'main', transport: this.hub.transport() });
      await this.hub.spawnWorker(new URL('allocator-worker.mjs', import.meta.url), { name: 'worker' });
      this.allocator = this.runtime.pid('allocator@worker');
      const meter = this.runtime.pid('meter@worker');
      this.runs = () => this.runtime.ask(meter, CountRuns, {}, { timeout: patience });
      // Its queue is served in order, so an answer comes after all that was sent before.
      this.served = () =>
        this.master.ask(this.allocator, allocatorMessages.GetInverseOfferStatuses, {}, { timeout: patience });
    } else {
      this.runtime = await Runtime.start();
      this.runs = watchRuns(this.runtime);
      this.allocator = this.runtime.spawn(createAllocator(allocator));
      this.served = () => this.runtime.dispatch(this.allocator, () => undefined);
    }
    this.runtime.spawn(this.master);
    this.tell('InitializeAllocator', {
      allocationInterval: interval,
      minAllocatable,
      fairnessExcluded: [],
      filterGpuResources: true,
    });
    await until(() => this.master.isReady, 'the allocator did not listen');
  }

  tell(kind, body) {
    if (!this.master.send(this.allocator, allocatorMessages[kind], body)) throw new Error(`${kind} was refused`);
  }

  // ---- frameworks and agents

  frameworks = [];

  /** One role for each. */
  addFrameworks(count, { active = true, ...more } = {}) {
    for (let made = 0; made < count; made++) {
      const frameworkId = FrameworkID(`framework-${this.frameworks.length}`);
      const role = `role-${this.frameworks.length}`;
      this.frameworks.push({ frameworkId, role });
      this.addFramework({ frameworkId, roles: [role], active, ...more });
    }
  }

  addFramework(body) {
    this.tell('AddFramework', { suppressedRoles: [], capabilities: [], minAllocatable: {}, used: [], ...body });
  }

  agents = [];

  addAgents(count, total = wholeAgent) {
    for (let made = 0; made < count; made++) this.agents.push(this.addAgent(`agent-${this.agents.length}`, total));
  }

  addAgent(name, total = wholeAgent, more = {}) {
    const agentId = AgentID(name);
    const resources = typeof total === 'string' ? wire(total) : total;
    this.tell('AddAgent', {
      agentId,
      agent: this.agentInfo(name, resources),
      capabilities,
      total: resources,
      used: [],
      ...more,
    });
    return agentId;
  }

  agentInfo(name, resources) {
    return { hostname: name, resources, attributes: {}, url: '' };
  }

  // ---- runs

  /** Asks for a run over all agents, changing nothing else. */
  trigger() {
    this.tell('ActivateFramework', { frameworkId: this.frameworks[0].frameworkId });
  }

  /** Milliseconds from the message that `ask` sends until the run that it asks for has ended. Expects so many offers of it. */
  async run(expected, ask = () => this.trigger()) {
    const before = await this.runs();
    const offers = this.master.offers;
    const start = nanoseconds();
    ask();
    await until(async () => (await this.runs()) > before, 'no run');
    const ended = nanoseconds();
    if (expected > 0) await this.offered(offers + expected);
    else await this.served();
    if (this.master.offers !== offers + expected)
      throw new Error(`${this.master.offers - offers} agents were offered, expected ${expected}`);
    return milliseconds(start, expected > 0 ? this.master.last : ended);
  }

  /** Milliseconds from `ask` to the last of the offers, however many runs that takes. */
  async untilOffered(expected, ask) {
    const target = this.master.offers + expected;
    const start = nanoseconds();
    ask();
    await this.offered(target);
    const took = milliseconds(start, this.master.last);
    await this.quiet();
    if (this.master.offers !== target)
      throw new Error(`${this.master.offers - target} offers more than the ${expected} expected`);
    return took;
  }

  async offered(target) {
    const { master } = this;
    if (master.offers >= target) return;
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${master.offers} of ${target} offers came`)), patience);
      master.heard = () => {
        if (master.offers < target) return;
        master.heard = undefined;
        clearTimeout(late);
        resolve();
      };
    });
  }

  /** Milliseconds until the allocator has taken all that `tell` says; runs that this asks for come after. */
  async taken(tell) {
    const start = nanoseconds();
    tell();
    await this.served();
    return milliseconds(start, nanoseconds());
  }

  /** No message and no run is under way. */
  async quiet() {
    for (let calm = 0; calm < 2;) {
      const before = await this.runs();
      this.trigger();
      await until(async () => (await this.runs()) > before, 'no run');
      for (let turn = 0; turn < 3; turn++) await this.served();
      calm = (await this.runs()) === before + 1 ? calm + 1 : 0;
    }
    await this.#understood();
    globalThis.gc?.();
  }

  /** What the allocator could make no sense of was not done, and would be measured as quick. */
  async #understood() {
    const ignored = (await this.runtime.metrics.snapshot()).get('allocator/mesos/ignored_messages') ?? 0;
    if (ignored > 0) throw new Error(`the allocator ignored ${ignored} messages`);
  }

  // ---- offers

  /** The offers since the last call. */
  take() {
    const { allocated } = this.master;
    this.master.allocated = [];
    return allocated;
  }

  /** Tells that all these offers are given back, with or without filters; says how many. */
  recover(allocated, filters) {
    let count = 0;
    for (const { frameworkId, allocations } of allocated) {
      for (const { agentId, resources } of allocations) {
        const body = { frameworkId, agentId, resources, isAllocated: false };
        this.tell('RecoverResources', filters ? { ...body, filters: { refuseSeconds } } : body);
        count++;
      }
    }
    return count;
  }

  /**
   * Has every one of so many new frameworks decline every agent. A run for each of them would take hours, so each comes
   * (inactive) as one that holds all agents already, as after a failover, and gives them back with filters.
   */
  async declineAll(count, total = wholeAgent) {
    for (let made = 0; made < count; made++) {
      const role = `role-${this.frameworks.length}`;
      const held = wire(Resources.parse(total).allocate(role));
      this.addFrameworks(1, { active: false, used: this.agents.map((agentId) => ({ agentId, resources: held })) });
      const { frameworkId } = this.frameworks.at(-1);
      for (const agentId of this.agents)
        this.tell('RecoverResources', {
          frameworkId,
          agentId,
          resources: held.map((one) => ({ ...one })),
          isAllocated: true,
          filters: { refuseSeconds },
        });
      await this.served();
    }
  }

  activateAll() {
    for (const { frameworkId } of this.frameworks) this.tell('ActivateFramework', { frameworkId });
  }

  reviveAll() {
    for (const { frameworkId } of this.frameworks) this.tell('ReviveOffers', { frameworkId, roles: [] });
  }

  async stop() {
    await this.runtime.stop();
    await this.hub?.close();
  }
}

const capabilities = ['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT'];

/** Objects of their own, as they come from the wire. */
export function wire(resources) {
  const all = typeof resources === 'string' ? Resources.parse(resources) : resources;
  return [...all].map((one) => ({ ...one }));
}

export function milliseconds(from, to) {
  return (to - from) / 1e6;
}

/** Looks once in every turn of the event loop. */
async function until(isSo, complaint) {
  const deadline = Date.now() + patience;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${complaint} within ${patience / 1000} s`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
