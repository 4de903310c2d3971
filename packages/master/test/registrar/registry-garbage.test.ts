import { expect } from 'chai';
import { collectGarbage, defaultGarbageLimits } from '../../src/registrar/registry-garbage.ts';
import { RegistryState } from '../../src/registrar/registry-state.ts';
import { agent } from './registrar-world.ts';

const now = 10_000;
const marked = (...timestamps: number[]) => timestamps.map((timestamp, n) => ({ agentId: agent(n), timestamp }));

describe("the registry's garbage", () => {
  it('is who was unreachable or gone for longer than the age, wherever in the list', () => {
    const limits = { maxAge: 1000, maxCount: 100 };
    const registry = { unreachable: marked(8999, 9000, 8000), gone: marked(9500, 1) };
    expect(collectGarbage(registry, now, limits)).to.deep.equal({
      kind: 'PRUNE',
      unreachable: [agent(0), agent(2)],
      gone: [agent(1)],
    });
  });

  it('is who was marked first of too many, in each list by itself', () => {
    const limits = { maxAge: 1e9, maxCount: 2 };
    const registry = { unreachable: marked(1, 2, 3, 4), gone: marked(1, 2) };
    expect(collectGarbage(registry, now, limits)).to.deep.equal({
      kind: 'PRUNE',
      unreachable: [agent(0), agent(1)],
      gone: [],
    });
    expect(
      collectGarbage({ unreachable: [], gone: marked(1, 2, 3) }, now, { maxAge: 1e9, maxCount: 0 })?.gone,
    ).to.have.length(3);
  });

  it('is nothing while nothing is too old or too much', () => {
    expect(collectGarbage({ unreachable: marked(1), gone: marked(1) }, now, { maxAge: 9999, maxCount: 1 })).to.equal(
      undefined,
    );
  });

  it("has Mesos's limits: two weeks, and 102,400 of each", () => {
    const day = 24 * 3_600_000;
    const old = { unreachable: marked(0), gone: [] };
    expect(collectGarbage(old, 14 * day)).to.equal(undefined);
    expect(collectGarbage(old, 14 * day + 1)?.unreachable).to.deep.equal([agent(0)]);
    const many = Array.from({ length: 102_401 }, () => 0);
    expect(collectGarbage({ unreachable: marked(...many), gone: [] }, 0)?.unreachable).to.deep.equal([agent(0)]);
    expect(defaultGarbageLimits.maxAge).to.equal(1_209_600_000);
  });

  it('leaves the registry when it is pruned', () => {
    const state = new RegistryState();
    for (const n of [1, 2]) {
      state.unreachable.set(agent(n), { agentId: agent(n), timestamp: n, deactivated: false });
      state.gone.set(agent(n + 2), { agentId: agent(n + 2), timestamp: n });
    }
    const lists = { unreachable: state.unreachable.values(), gone: state.gone.values() };
    const prune = collectGarbage(lists, now, { maxAge: now - 2, maxCount: 9 });
    if (prune === undefined) throw new Error('no garbage');
    state.apply(prune);
    expect([[...state.unreachable.keys()], [...state.gone.keys()]]).to.deep.equal([[agent(2)], [agent(4)]]);
  });
});
