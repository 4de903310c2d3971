import { AgentID, FrameworkID, Resources } from '@mezzo/protocol';
import { expect } from 'chai';
import fc from 'fast-check';

import { AllocatorAgent } from '../../src/allocator/allocator-agent.ts';
import { AllocatorFramework } from '../../src/allocator/allocator-framework.ts';
import { Client } from '../../src/allocator/client.ts';
import { type FilterClock, OfferFilters } from '../../src/allocator/offer-filters.ts';
import { RoleTree } from '../../src/allocator/role-tree.ts';

const amounts = ['cpus:1', 'cpus:2', 'cpus:2;mem:64', 'cpus:4;mem:64'].map((text) => Resources.parse(text));
const role = new RoleTree().ensure('*');

/** Moved by hand; what is due runs in order. */
class HandClock implements FilterClock {
  #now = 0;
  #timers: { readonly due: number; readonly call: () => void }[] = [];

  get pending(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  delay(milliseconds: number, call: () => void): { cancel(): boolean } {
    const timer = { due: this.#now + milliseconds, call };
    this.#timers.push(timer);
    return {
      cancel: () => {
        const before = this.#timers.length;
        this.#timers = this.#timers.filter((other) => other !== timer);
        return this.#timers.length < before;
      },
    };
  }

  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const next = this.#timers.filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#now = next.due;
      this.#timers = this.#timers.filter((other) => other !== next);
      next.call();
    }
    this.#now = until;
  }
}

function make(clients: number, agents: number) {
  const clock = new HandClock();
  const filters = new OfferFilters(clock);
  const total = Resources.parse('cpus:8');
  const info = { hostname: 'h', resources: [], attributes: {}, url: '' };
  return {
    clock,
    filters,
    clients: Array.from({ length: clients }, (_, n) => {
      return new Client(new AllocatorFramework(FrameworkID(`f${n}`)), role, n, filters.nextEpoch());
    }),
    agents: Array.from({ length: agents }, (_, n) => new AllocatorAgent(AgentID(`a${n}`), info, total)),
  };
}

type World = ReturnType<typeof make>;

/** The plainest form: a list that is searched. */
interface Refused {
  readonly client: number;
  readonly agent: number;
  readonly amount: number;
  readonly due: number;
}

type Step = (world: World, refused: Refused[]) => Refused[];

const client = fc.nat(2);
const agent = fc.nat(2);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(client, agent, fc.nat(amounts.length - 1), fc.constantFrom(10, 25, 1000))
      .map(([c, a, amount, duration]): Step => ({ filters, clients, agents, clock }, refused) => {
        const [by, of, what] = [clients[c], agents[a], amounts[amount]];
        if (by !== undefined && of !== undefined && what !== undefined) filters.add(by, of, what, duration);
        return [...refused, { client: c, agent: a, amount, due: clock.now() + duration }];
      }),
  },
  client.map((c): Step => ({ filters, clients }, refused) => {
    const by = clients[c];
    if (by !== undefined) filters.clearClient(by);
    return refused.filter((one) => one.client !== c);
  }),
  agent.map((a): Step => ({ filters, agents }, refused) => {
    const of = agents[a];
    if (of !== undefined) filters.clearAgent(of);
    return refused.filter((one) => one.agent !== a);
  }),
  fc.integer({ min: 1, max: 30 }).map((time): Step => ({ clock }, refused) => {
    clock.advance(time);
    return refused.filter(({ due }) => due > clock.now());
  }),
);

describe('OfferFilters', () => {
  it('refuse what a list of all refusals that stand would refuse', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const world = make(3, 3);
        let refused: Refused[] = [];
        for (const act of steps) {
          refused = act(world, refused);
          for (const [c, by] of world.clients.entries()) {
            const its = refused.filter((one) => one.client === c);
            expect(by.filterCount).to.equal(its.length);
            for (const [a, of] of world.agents.entries()) {
              for (const offered of amounts) {
                const expected = its.some((one) => one.agent === a && amounts[one.amount]?.contains(offered) === true);
                expect(of.filters.refuse(by, offered)).to.equal(expected);
              }
            }
          }
        }
        world.clock.advance(2000);
        // What was cleared lies there until it is overwritten, and no amount twice.
        for (const of of world.agents) expect(of.filters.amounts.length).to.be.at.most(amounts.length);
        expect(world.clock.pending).to.equal(0);
      }),
      { numRuns: 500 },
    );
  }).timeout(30_000);

  it('of a client that revives before their time do not pile up', () => {
    const { filters, clients, agents, clock } = make(1, 100);
    const [by] = clients;
    if (by === undefined) throw new Error('no client');
    const [amount] = amounts;
    for (let round = 0; round < 1000; round++) {
      for (const of of agents) filters.add(by, of, amount ?? Resources.empty, 365 * 86_400_000);
      filters.clearClient(by);
    }
    expect(filters.size).to.be.lessThan(2000);
    filters.stop();
    expect(clock.pending).to.equal(0);
  });

  it('of agents that are gone do not pile up, and those of the others end in their time', () => {
    const { filters, clients, agents, clock } = make(1, 1000);
    const [[by], [amount]] = [clients, amounts];
    if (by === undefined || amount === undefined) throw new Error('nobody');
    for (const [n, of] of agents.entries()) {
      filters.add(by, of, amount, n % 2 === 0 ? 1000 : 365 * 86_400_000);
      clock.advance(1);
    }
    // All but the last ten.
    for (const of of agents.slice(0, -10)) filters.clearAgent(of);
    expect(by.filterCount).to.equal(10);
    expect(filters.size).to.be.lessThan(200);
    clock.advance(1000);
    expect(agents.slice(-10).map((of) => of.filters.refuse(by, amount))).to.deep.equal(
      agents.slice(-10).map((_, n) => n % 2 === 1),
    );
    expect(by.filterCount).to.equal(5);
    expect(clock.pending).to.equal(1);
    for (const of of agents.slice(-10)) filters.clearAgent(of);
    filters.stop();
    expect([filters.size, clock.pending]).to.deep.equal([0, 0]);
  });

  it('of a client that is gone do not bind the one that gets its slot', () => {
    const { filters, clients, agents } = make(1, 1);
    const [by, of, amount] = [clients[0], agents[0], amounts[0]];
    if (by === undefined || of === undefined || amount === undefined) throw new Error('nobody');
    filters.add(by, of, amount, 1000);
    const successor = new Client(by.framework, role, by.slot, filters.nextEpoch());
    expect(of.filters.refuse(by, amount)).to.equal(true);
    expect(of.filters.refuse(successor, amount)).to.equal(false);
  });
});
