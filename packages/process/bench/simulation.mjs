// What simulated time costs: node --import tsx --conditions=mezzo:source packages/process/bench/simulation.mjs
import { message, Process } from '@mezzo/process';
import { explore } from '@mezzo/process/testing';
import { faults, leaseScenario } from '../test/testing/lease.ts';
import { linkedRing, ringFaults } from '../test/testing/linked-ring.ts';

const Tick = message('tick', { '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value }) } });

/** Sends to the next one, so many times a second. */
class Ticker extends Process {
  ticks = 0;
  #next;
  #interval;
  constructor(next, interval) {
    super('ticker');
    this.#next = next;
    this.#interval = interval;
  }
  initialize() {
    this.install(Tick, () => void this.ticks++);
    const tick = () => {
      this.send(this.runtime.pid(`ticker@${this.#next}`), Tick, this.ticks);
      this.delay(this.#interval, tick);
    };
    tick();
  }
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** @param limit core-seconds that it may take. */
async function timed(what, limit, run) {
  const before = cpuSeconds();
  const began = performance.now();
  const { events } = await run();
  const cpu = cpuSeconds() - before;
  const elapsed = (performance.now() - began) / 1000;
  console.log(`${what}: ${costs(elapsed, cpu, events)}`);
  if (cpu > limit) throw new Error(`${what}: expected at most ${limit} core-seconds, not ${cpu.toFixed(3)}`);
}

const costs = (elapsed, cpu, events) =>
  `${elapsed.toFixed(1)} s, ${cpu.toFixed(1)} core-seconds, ${events} events, ` +
  `${((cpu * 1e6) / events).toFixed(1)} us an event`;

/** What a seed of ten simulated minutes may take. */
const seedLimits = { cpu: 0.5, events: 50_000 };

/** Seeds one by one: the worst of them counts. */
async function explored(what, count, options) {
  const began = performance.now();
  const total = { cpu: 0, events: 0 };
  const worst = { cpu: 0, events: 0 };
  for (let seed = 1; seed <= count; seed++) {
    const before = cpuSeconds();
    const { events } = await explore({ ...options, seeds: [seed, seed] });
    const taken = { cpu: cpuSeconds() - before, events };
    for (const cost of ['cpu', 'events']) {
      total[cost] += taken[cost];
      worst[cost] = Math.max(worst[cost], taken[cost]);
    }
  }
  const elapsed = (performance.now() - began) / 1000;
  const worstText = `${worst.cpu.toFixed(3)} core-seconds and ${worst.events} events`;
  console.log(`${what}: ${costs(elapsed, total.cpu, total.events)}, at worst ${worstText} a seed`);
  if (worst.cpu > seedLimits.cpu || worst.events > seedLimits.events) {
    throw new Error(
      `${what}: expected at most ${seedLimits.cpu} core-seconds and ${seedLimits.events} events a seed, not ${worstText}`,
    );
  }
}

const [seeds = '1000', hours = '24'] = process.argv.slice(2);
await explored(`a lease protocol of 5 nodes, ${seeds} seeds of 10 minutes with faults`, Number(seeds), {
  latency: [0.5, 20],
  faults,
  scenario: leaseScenario('none', 600),
});
await explored('5 nodes that send each other 12 messages a second, 10 seeds of 10 minutes with faults', 10, {
  latency: [0.5, 20],
  faults: { crash: 0.5, partition: 0.5, pause: 0.5 },
  scenario: async (world) => {
    for (let node = 0; node < 5; node++) {
      await world.start(`n${node}`, { boot: (runtime) => void runtime.spawn(new Ticker(`n${(node + 1) % 5}`, 400)) });
    }
    await world.advance('10mins');
  },
});
await timed(`50 nodes of 4 links each, ${hours} hours`, 60, () => linkedRing(Number(hours), {}));
await timed('the same with faults', 60, () => linkedRing(Number(hours), ringFaults));
