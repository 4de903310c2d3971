import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

import { withPeers } from '../../packages/process/test/nats/peers.ts';
import { withNatsServer } from '../support/nats-server.ts';
import { play, type Role } from './lock-protocol.ts';
import { timing } from './timing.ts';

/** A world in which the protocol runs, and what can be done to it. */
interface World {
  start(node: string, role: Role): Promise<void>;
  freeze(node: string): void;
  thaw(node: string): void;
  /** Ends the node's OS process at once. */
  kill(node: string): Promise<void>;
  freezeBroker(): Promise<void>;
  killBroker(): Promise<void>;
  startBroker(): Promise<void>;
  pass(milliseconds: number): Promise<void>;
  until(condition: () => boolean, what: string): Promise<void>;
  /** Kinds of what happened, in the order told. */
  readonly told: string[];
}

const count = (world: World, kind: string): number => world.told.filter((told) => told === kind).length;

async function work(world: World, rounds = 4): Promise<void> {
  const before = count(world, 'granted');
  await world.until(() => count(world, 'granted') >= before + rounds, `${rounds} more grants`);
}

/** What happens to the world, and the kinds of events that must show, no fewer and no more. */
const scenarios: readonly { name: string; run(world: World): Promise<void>; kinds: readonly string[] }[] = [
  {
    name: 'two workers in peace',
    async run(world) {
      await world.start('keeper', 'keeper');
      await world.start('one', 'worker');
      await world.start('two', 'worker');
      await work(world, 20);
    },
    kinds: ['granted', 'released'],
  },
  {
    name: 'a broker that is frozen, and killed with what it holds',
    async run(world) {
      await world.start('keeper', 'keeper');
      await world.start('one', 'worker');
      await work(world);
      await world.freezeBroker();
      await world.pass(300);
      await world.killBroker();
      await world.startBroker();
      await work(world);
      await world.until(() => count(world, 'resent') > 0, 'the lost tail is sent again');
    },
    kinds: ['granted', 'released', 'resent'],
  },
  {
    name: 'a holder that is killed',
    async run(world) {
      await world.start('keeper', 'keeper');
      await world.start('hog', 'hog');
      await world.until(() => count(world, 'hogged') > 0, 'the hog has the lock');
      await world.start('one', 'worker');
      await world.pass(200);
      await world.kill('hog');
      await work(world);
    },
    kinds: ['granted', 'hogged', 'holder lost', 'released'],
  },
  {
    name: 'a holder that is frozen for longer than the link timeout',
    async run(world) {
      await world.start('keeper', 'keeper');
      await world.start('hog', 'hog');
      await world.until(() => count(world, 'hogged') > 0, 'the hog has the lock');
      await world.start('one', 'worker');
      await world.pass(200);
      world.freeze('hog');
      await work(world);
      world.thaw('hog');
      await world.until(() => count(world, 'keeper lost') > 0, 'the hog learns that it was given up');
    },
    kinds: ['granted', 'hogged', 'holder lost', 'keeper lost', 'released'],
  },
  {
    name: 'a keeper that is frozen, killed with messages in its buffers, and started again',
    async run(world) {
      await world.start('keeper', 'keeper');
      await world.start('one', 'worker');
      await work(world);
      world.freeze('keeper');
      await world.pass(300);
      await world.kill('keeper');
      await world.until(() => count(world, 'keeper lost') > 0, 'the worker learns of the death');
      await world.start('keeper', 'keeper');
      await work(world);
    },
    kinds: ['ask OUTCOME_UNKNOWN', 'dead letter session', 'granted', 'keeper lost', 'released'],
  },
];

describe('one lock protocol, unchanged', () => {
  describe('on the in-process network (virtual time)', () => declare(simulated()));
  describe('on NATS, with an OS process per node', () => declare(real()));
});

function declare(world: World): void {
  for (const { name, run, kinds } of scenarios) {
    it(`shows the same kinds of events as elsewhere: ${name}`, async () => {
      await run(world);
      expect([...new Set(world.told)].sort()).to.deep.equal(kinds);
    });
  }
}

function simulated(): World {
  let simulation: Simulation;
  const told: string[] = [];
  beforeEach(() => {
    told.length = 0;
    simulation = new Simulation({ latency: [0, 2] });
  });
  afterEach(() => simulation.stop());
  return {
    told,
    async start(node, role) {
      play(role, await simulation.start(node, timing), (kind) => told.push(kind));
    },
    freeze: (node) => simulation.network.freeze(node),
    thaw: (node) => simulation.network.thaw(node),
    kill: async (node) => simulation.crash(node),
    freezeBroker: async () => simulation.network.freezeBroker(),
    killBroker: async () => simulation.network.killBroker(),
    startBroker: async () => simulation.network.startBroker(),
    pass: (milliseconds) => simulation.advance(milliseconds),
    async until(condition, what) {
      if (!(await simulation.advanceUntil(condition, '20s')))
        throw new Error(`did not come about: ${what}; so far: ${told.join(', ')}`);
    },
  };
}

function real(): World {
  const server = withNatsServer({ per: 'test' });
  const peers = withPeers();
  const nodes = new Map<string, ChildProcess>();
  const told: string[] = [];
  beforeEach(() => {
    told.length = 0;
    nodes.clear();
  });
  return {
    told,
    async start(node, role) {
      const environment = { NATS_URL: server.url, NKEY_FILE: server.credentialsFile, NODE_NAME: node };
      const child = await peers.start(new URL('lock-node.ts', import.meta.url), environment, role);
      child.on('message', (event) => {
        if (typeof event === 'object' && 'kind' in event) told.push(String(event.kind));
      });
      nodes.set(node, child);
    },
    freeze: (node) => void nodes.get(node)?.kill('SIGSTOP'),
    thaw: (node) => void nodes.get(node)?.kill('SIGCONT'),
    async kill(node) {
      nodes.get(node)?.kill('SIGKILL');
    },
    freezeBroker: () => server.freeze(),
    killBroker: () => server.kill(),
    startBroker: () => server.restart(),
    async pass(milliseconds) {
      const end = performance.now() + milliseconds;
      while (performance.now() < end) await pause(5);
    },
    async until(condition, what) {
      const deadline = performance.now() + 18_000;
      while (!condition()) {
        if (performance.now() > deadline) throw new Error(`did not come about: ${what}; so far: ${told.join(', ')}`);
        await pause(2);
      }
    },
  };
}
