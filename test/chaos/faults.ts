import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/command.ts';
import type { ChaosCluster, Heard } from './chaos-cluster.ts';
import type { Machine } from './machines.ts';
import type { Program } from './program.ts';

/** What came of one fault; times in milliseconds from the fault on. */
export interface Outcome {
  readonly fault: string;
  /** Until another leader was announced, and until the framework got its offers. */
  readonly announced?: number;
  readonly offers?: number;
  /** Until all tasks were known to run, and all agents to be there. */
  readonly settled: number;
  readonly remark: string;
}

export interface Fault {
  readonly name: string;
  /** Whether it needs machines that can be cut off from each other. */
  readonly cuts?: true;
  /** Leaves everything running again. */
  readonly strike: (cluster: ChaosCluster, pauseLength: number) => Promise<Omit<Outcome, 'fault' | 'settled'>>;
}

const limit = 90_000;

/** Until another leader is announced, and until the framework has offers from it. */
async function another(
  cluster: ChaosCluster,
  before: Heard,
  since: number,
): Promise<{ announced: number; offers: number }> {
  const next = await eventually(
    () => cluster.leader.leader.address !== before.leader.address && cluster.leader,
    limit,
    () => `no other leader\n${cluster.logs()}`,
  );
  // The lease may change hands again before anybody is served: offers count, from whoever leads then.
  const offer = await eventually(
    () => {
      const { ledger } = cluster;
      const subscribed = ledger
        .look()
        .entries.find((entry) => entry.kind === 'subscribed' && entry.at > since && entry.master !== before.leader.url);
      return subscribed && ledger.first('offers', subscribed.at);
    },
    limit,
    () => `no offers from the new leader\n${cluster.logs()}`,
  );
  return { announced: next.at - since, offers: offer.at - since };
}

async function freshSubscription(cluster: ChaosCluster, since: number): Promise<number> {
  const entry = await eventually(
    () => cluster.ledger.look().first('subscribed', since),
    limit,
    () => `the framework does not come back: ${cluster.keeper.tail()}`,
  );
  return entry.at - since;
}

function serverOf(cluster: ChaosCluster): Program {
  const server = cluster.servers.programs[cluster.leading];
  if (server === undefined) throw new Error('The leader has no server');
  return server;
}

const leases = 'KV_mezzo_mezzo_election';
const registry = 'mezzo_mezzo_registry';

async function ledBy(cluster: ChaosCluster, server: Program): Promise<string> {
  const place = cluster.servers.programs.indexOf(server);
  const led = [];
  if ((await cluster.servers.leaderOf(leases)) === place) led.push('the lease');
  if ((await cluster.servers.leaderOf(registry)) === place) led.push('the registry');
  return led.length === 0 ? 'it led no stream' : `it led ${led.join(' and ')}`;
}

async function killServer(cluster: ChaosCluster, place: number): Promise<{ remark: string }> {
  const server = cluster.servers.programs[place];
  if (server === undefined) throw new Error('Nobody knows which server it is');
  const before = cluster.heard.length;
  const led = await ledBy(cluster, server);
  await server.kill();
  // As long as JetStream needs to find another leader.
  await pause(8000);
  const changed = cluster.heard.length - before;
  server.start();
  await cluster.servers.ready();
  return { remark: `${led}; ${changed === 0 ? 'the leader stayed' : `the leader changed ${changed} times`}` };
}

/** How many agents the leader saw just before the end of it. */
async function whileCutOff(machine: Machine | undefined, length: number, cluster: ChaosCluster): Promise<number> {
  if (machine === undefined) throw new Error('There is no such machine');
  machine.cutOff();
  try {
    await pause(length);
    return (await cluster.state()).agents;
  } finally {
    machine.reconnect();
  }
}

export const faults: readonly Fault[] = [
  {
    name: 'leader killed',
    async strike(cluster) {
      const before = cluster.leader;
      const master = cluster.masterOf(before.leader);
      const since = Date.now();
      await master.kill();
      const times = await another(cluster, before, since);
      master.start();
      return { ...times, remark: '' };
    },
  },
  {
    name: 'agent killed, started again',
    async strike(cluster) {
      const [agent] = cluster.agents;
      if (agent === undefined) throw new Error('There is no agent');
      await agent.kill();
      // Long enough that it is missed.
      await pause(cluster.options.settings.linkTimeout * 2);
      const { agents } = await cluster.state();
      agent.start();
      return {
        remark: agents < cluster.options.agents ? 'the leader missed it meanwhile' : 'the leader did not miss it',
      };
    },
  },
  {
    name: 'NATS server of the lease killed, started again',
    strike: async (cluster) => killServer(cluster, await cluster.servers.leaderOf(leases)),
  },
  {
    name: 'NATS server of the leader killed, started again',
    strike: async (cluster) => killServer(cluster, cluster.leading),
  },
  {
    name: 'leader and its NATS server killed',
    async strike(cluster) {
      const before = cluster.leader;
      const master = cluster.masterOf(before.leader);
      const server = serverOf(cluster);
      const remark = await ledBy(cluster, server);
      const since = Date.now();
      await Promise.all([master.kill(), server.kill()]);
      const times = await another(cluster, before, since);
      server.start();
      await cluster.servers.ready();
      master.start();
      return { ...times, remark };
    },
  },
  {
    name: 'framework killed, started again',
    async strike(cluster) {
      const since = Date.now();
      await cluster.keeper.kill();
      cluster.keeper.start();
      const back = await freshSubscription(cluster, since);
      return { remark: `subscribed again after ${(back / 1000).toFixed(1)} s` };
    },
  },
  {
    name: 'leader stopped, woken',
    async strike(cluster, pauseLength) {
      const before = cluster.leader;
      const master = cluster.masterOf(before.leader);
      const since = Date.now();
      master.signal('SIGSTOP');
      try {
        const times = await another(cluster, before, since);
        await pause(Math.max(0, pauseLength - (Date.now() - since)));
        const { leader } = cluster.leader;
        const written = await cluster.servers.lastOf(registry);
        const [woken, stale] = [Date.now(), cluster.stale];
        master.signal('SIGCONT');
        await pause(10_000);
        const { ledger } = cluster;
        const heeded = ledger
          .look()
          .entries.some(
            ({ at, ...entry }) => at > woken && entry.kind === 'subscribed' && entry.master === before.leader.url,
          );
        if (heeded) throw new Error('The framework subscribed with the leader that had been stopped');
        if (cluster.leader.leader.address !== leader.address)
          throw new Error(
            `The leader that had been stopped put ${cluster.leader.leader.address} in the place of ${leader.address}`,
          );
        const now = await cluster.servers.lastOf(registry);
        if (now !== written)
          throw new Error(`The registry grew from ${written} to ${now} after the leader that had been stopped woke up`);
        return { ...times, remark: `woken, it announced itself ${cluster.stale - stale} times; nobody followed` };
      } finally {
        if (master.running) master.signal('SIGCONT');
      }
    },
  },
  {
    name: 'leader and its NATS server cut off',
    cuts: true,
    async strike(cluster, pauseLength) {
      const before = cluster.leader;
      const { machine } = cluster.masterOf(before.leader);
      const since = Date.now();
      machine.cutOff();
      try {
        const times = await another(cluster, before, since);
        await pause(Math.max(0, pauseLength / 2 - (Date.now() - since)));
        return { ...times, remark: `for ${Math.round((Date.now() - since) / 1000)} s` };
      } finally {
        machine.reconnect();
      }
    },
  },
  {
    name: 'agent cut off',
    cuts: true,
    async strike(cluster, pauseLength) {
      const agents = await whileCutOff(cluster.agents.at(-1)?.machine, pauseLength / 2, cluster);
      return { remark: `the leader saw ${agents} agents meanwhile` };
    },
  },
  {
    name: 'framework cut off',
    cuts: true,
    async strike(cluster, pauseLength) {
      await whileCutOff(cluster.keeper.machine, pauseLength / 2, cluster);
      return { remark: '' };
    },
  },
];

/** Carries out a fault and waits until everything is well again. Throws if that does not come, or if a task was lost or doubled. */
export async function carryOut(fault: Fault, cluster: ChaosCluster, pauseLength: number): Promise<Outcome> {
  const since = Date.now();
  const outcome = await fault.strike(cluster, pauseLength);
  const repaired = Date.now();
  // What had been launched when it struck is to be accounted for by now.
  await cluster.settled(limit, repaired);
  const settled = Date.now();
  const { ledger } = cluster;
  const [twice, lost] = [ledger.twice(), ledger.lost()];
  if (twice.length > 0) throw new Error(`${fault.name}: started more than once: ${twice.join(', ')}`);
  if (lost.length > 0) throw new Error(`${fault.name}: lost: ${lost.slice(0, 10).join('; ')} (${lost.length})`);
  return { fault: fault.name, settled: settled - since, ...outcome };
}
