import { expect } from 'chai';
import fc from 'fast-check';
import { AgentID, Resources } from '@mezzo/protocol';
import { r, shared, sorterOver } from './drf-cluster.ts';
import { NaiveDrf, type Held } from './naive-sorter.ts';

describe('the DRF sorter, by its definition', () => {
  it('agrees with the definition after any sequence of changes', () => {
    const client = fc.constantFrom('a', 'a', 'a/x', 'a/x/p', 'a/y', 'b', 'b/x/y', 'c', 'd');
    const path = fc.oneof(client, fc.constantFrom('a/.', 'a/x/.', 'b/x'));
    const amount = fc.constantFrom(0, 0, 1, 1, 2, 3, 0.001, 0.1, 7);
    const held = fc.record({
      client,
      agent: fc.constantFrom('s1', 's2'),
      cpus: amount,
      mem: amount,
      volume: fc.option(fc.constantFrom('v', 'w'), { nil: undefined, freq: 2 }),
    });
    const operation = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), client }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('activate' as const), client }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('deactivate' as const), client }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), client }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('weight' as const), path, weight: fc.constantFrom(0.5, 1, 2, 3) }),
      },
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('allocated' as const), held }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('unallocated' as const), at: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('updated' as const), at: fc.nat(), held }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('total' as const), cpus: amount, mem: amount }) },
    );
    const steps = fc.array(fc.record({ operation, isSorted: fc.boolean() }), { maxLength: 80, size: 'max' });
    const resourcesOf = ({ cpus, mem, volume }: Held): Resources =>
      r(`cpus:${cpus};mem:${mem}`).plus(volume === undefined ? Resources.empty : shared(volume));
    fc.assert(
      fc.property(steps, (list) => {
        const naive = new NaiveDrf();
        Object.assign(naive.total, { cpus: 20_000, mem: 20_000, disk: 30_000 });
        const { sorter, totals } = sorterOver('cpus:20;mem:20;disk:30');
        let given: Iterable<string> = [];
        let copy: readonly string[] = [];
        for (const { operation: step, isSorted } of list) {
          switch (step.kind) {
            case 'add':
              naive.add(step.client);
              sorter.add(step.client);
              break;
            case 'remove':
              naive.remove(step.client);
              sorter.remove(step.client);
              break;
            case 'activate':
            case 'deactivate':
              if (naive.clients.has(step.client)) naive.clients.set(step.client, step.kind === 'activate');
              sorter[step.kind](step.client);
              break;
            case 'weight':
              naive.weights.set(step.path, step.weight);
              sorter.updateWeight(step.path, step.weight);
              break;
            case 'allocated':
              if (naive.clients.has(step.held.client)) naive.allocated(inThousandths(step.held));
              sorter.allocated(step.held.client, AgentID(step.held.agent), resourcesOf(step.held));
              break;
            case 'unallocated':
            case 'updated': {
              const [old] = naive.held.splice(step.at % Math.max(1, naive.held.length), 1);
              if (old === undefined) break;
              const { client: owner, agent } = old;
              const before = resourcesOf(inUnits(old));
              if (step.kind === 'unallocated') sorter.unallocated(owner, AgentID(agent), before);
              else {
                naive.held.push(inThousandths({ ...step.held, client: owner, agent }));
                sorter.updated(owner, AgentID(agent), before, resourcesOf(step.held));
              }
              break;
            }
            case 'total':
              naive.total.cpus += 1000 * step.cpus;
              naive.total.mem += 1000 * step.mem;
              totals.add(r(`cpus:${step.cpus};mem:${step.mem}`));
              break;
          }
          if (!isSorted) continue;
          expect([...given]).to.deep.equal(copy);
          given = sorter.sort();
          copy = [...given];
          expect(copy).to.deep.equal(naive.sort());
          for (const path of naive.clients.keys()) expect(sorter.share(path)).to.equal(naive.share(path));
        }
        expect([...sorter.sort()]).to.deep.equal(naive.sort());
        // Nothing is left of what is taken back.
        for (const old of naive.held) sorter.unallocated(old.client, AgentID(old.agent), resourcesOf(inUnits(old)));
        for (const path of naive.clients.keys()) expect(sorter.share(path)).to.equal(0);
      }),
      { numRuns: 400 },
    );
  });
});

function inThousandths(held: Held): Held {
  return { ...held, cpus: Math.round(held.cpus * 1000), mem: Math.round(held.mem * 1000) };
}

function inUnits(held: Held): Held {
  return { ...held, cpus: held.cpus / 1000, mem: held.mem / 1000 };
}
