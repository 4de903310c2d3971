import { memoryLog } from '@mezzo/process/log';
import type { Future } from '@mezzo/process';
import type { RegistryOperation } from '@mezzo/protocol';
import { expect } from 'chai';
import fc from 'fast-check';
import { readRegistry } from '../../src/registrar/registry-codec.ts';
import { RegistryState } from '../../src/registrar/registry-state.ts';
import { type Changed, type RegistrarPair, RegistrarWorld } from './registrar-world.ts';
import { registryOperations } from './registry-operations.ts';
import type { Mishap } from './unsteady-log.ts';

const options = { storeTimeout: '4s', fetchTimeout: '4s', snapshotRecords: 5 } as const;

/** An operation and what its master heard of it. */
interface Asked {
  readonly operation: RegistryOperation;
  readonly answer: Future<Changed>;
}

/** States after each number of operations, those left out that make no sense where they stand. */
function* statesAfter(base: RegistryState, asked: readonly Asked[]): Generator<string> {
  const state = RegistryState.of(base.contents());
  yield textOf(state);
  for (const { operation } of asked) if (state.apply(operation) === undefined) yield textOf(state);
}

/** All but who reigns. */
function textOf(state: RegistryState): string {
  const { term: _, master: __, ...rest } = state.contents();
  return JSON.stringify(rest);
}

/** Operations of which it is certain that they are stored. */
function confirmed(asked: readonly Asked[]): readonly Asked[] {
  let count = 0;
  for (const [index, { answer }] of asked.entries())
    if (answer.isReady && answer.get().outcome === 'STORED') count = index + 1;
  return asked.slice(0, count);
}

const mishaps = fc.array(
  fc.constantFrom<Mishap | undefined>(undefined, undefined, 'refused', 'unanswered', 'late', 'silent', 'torn'),
  {
    maxLength: 12,
  },
);

function spoil(pair: RegistrarPair, events: readonly (Mishap | undefined)[]): void {
  const rest = [...events];
  pair.log.mishap = () => rest.shift();
  pair.log.latency = 20;
}

describe('the registrar and crashes', () => {
  it('after a crash at any point the registry is the one after the last confirmed operation, or a later one', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        registryOperations,
        fc.integer({ min: 0, max: 1500 }),
        fc.integer({ min: 1, max: 4 }),
        mishaps,
        async (operations, crashAt, burst, events) => {
          const log = memoryLog();
          await using cluster = new RegistrarWorld(log);
          const pair = await cluster.reign({ revision: 1, exploded: false, ...options });
          spoil(pair, events);
          const asked: Asked[] = [];
          const started = cluster.world.elapsed;
          for (const [index, operation] of operations.entries()) {
            if (cluster.world.elapsed - started >= crashAt) break;
            asked.push({ operation, answer: pair.master.change(operation) });
            if (index % burst === burst - 1) await cluster.world.advance('15ms');
          }
          await cluster.world.advance(`${Math.max(0, crashAt - (cluster.world.elapsed - started))}ms`);
          const certain = confirmed(asked);
          cluster.world.crash(pair.runtime.name);
          // What was on its way may still arrive.
          if (events.length % 2 === 0) await cluster.world.advance('3s');

          const { recovered } = await cluster.reign({ revision: 2, name: 'next', exploded: false, ...options });
          const possible = [...statesAfter(new RegistryState(), asked)];
          const least = [...statesAfter(new RegistryState(), certain)].length - 1;
          expect(possible.slice(least)).to.include(textOf(RegistryState.of(recovered)));
        },
      ),
      { numRuns: 120 },
    );
  });

  it('of two that race, none but the newer has an operation confirmed after its seal, and the log holds what was confirmed', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        registryOperations,
        registryOperations,
        fc.integer({ min: 0, max: 300 }),
        mishaps,
        mishaps,
        async (mine, yours, overlapAt, myEvents, yourEvents) => {
          const log = memoryLog();
          await using cluster = new RegistrarWorld(log);
          const old = await cluster.reign({ revision: 1, exploded: false, ...options });
          spoil(old, myEvents);
          const rival = await cluster.pair({ revision: 2, exploded: false, ...options });
          const oldAsked: Asked[] = [];
          const newAsked: Asked[] = [];
          let isSealed = false;
          let sealedAt = Infinity;
          const confirmedAfterSeal: string[] = [];
          const started = cluster.world.elapsed;
          let recovery: ReturnType<typeof rival.master.recover> | undefined;
          let base = new RegistryState();
          for (let round = 0; round < Math.max(mine.length, yours.length) + 20; round += 1) {
            const [operation, other] = [mine[round], yours[round]];
            if (operation !== undefined) {
              const answer = old.master.change(operation);
              const wasSealed = isSealed;
              answer.onReady(({ outcome }) => {
                if (wasSealed && outcome === 'STORED') confirmedAfterSeal.push(operation.kind);
              });
              oldAsked.push({ operation, answer });
            }
            if (recovery === undefined && cluster.world.elapsed - started >= overlapAt) {
              spoil(rival, yourEvents);
              recovery = rival.master.recover();
              recovery.onReady((outcome) => {
                if (outcome.outcome !== 'RECOVERED') return;
                isSealed = true;
                sealedAt = round;
                base = RegistryState.of(outcome.registry);
              });
            }
            if (isSealed && other !== undefined && sealedAt < round)
              newAsked.push({ operation: other, answer: rival.master.change(other) });
            await cluster.world.advance('15ms');
          }
          await cluster.world.advance('20s');
          expect(confirmedAfterSeal).to.deep.equal([]);
          // Of what the older one had confirmed, all is in what the newer one began with.
          const final = textOf(readRegistry(await log.read()));
          if (isSealed) {
            const possibleBases = [...statesAfter(new RegistryState(), oldAsked)];
            const least = [...statesAfter(new RegistryState(), confirmed(oldAsked))].length - 1;
            expect(possibleBases.slice(least)).to.include(textOf(base));
            const certain = [...statesAfter(base, confirmed(newAsked))].length - 1;
            expect([...statesAfter(base, newAsked)].slice(certain)).to.include(final);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
