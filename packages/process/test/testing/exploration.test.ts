import { createHash } from 'node:crypto';
import { Process, ProcessError } from '@mezzo/process';
import {
  explore,
  type ExplorationOptions,
  type Explored,
  ExplorationFailure,
  type Simulation,
} from '@mezzo/process/testing';
import { expect } from 'chai';
import { type Bug, faults, leaseScenario } from './lease.ts';

class Idle extends Process {}

const seeds = [1, 1000] as const;

const lease = (bug: Bug): ExplorationOptions => ({
  seeds,
  latency: [0.5, 20],
  faults,
  scenario: leaseScenario(bug, 30),
});

async function failureOf(options: ExplorationOptions): Promise<ExplorationFailure> {
  try {
    await explore(options);
  } catch (error) {
    if (error instanceof ExplorationFailure) return error;
    throw error;
  }
  throw new Error('the exploration passed');
}

/** Throws unless every line is one that Mermaid's sequence diagrams have. */
function checkDiagram(diagram: string): void {
  const [first, ...lines] = diagram.split('\n');
  expect(first).to.equal('sequenceDiagram');
  const participants = new Set<string>();
  for (const line of lines) {
    const participant = /^ {2}participant (p\d+) as [^#;]+$/.exec(line)?.[1];
    if (participant !== undefined) participants.add(participant);
    // An entity is the only place for a hash or semicolon.
    const text = /^ {2}(?:Note over (p\d+)(?:,(p\d+))?|(p\d+)(?:->>|-->>|--x)(p\d+)): ((?:[^#;]|#\d+;)+)$/.exec(line);
    if (participant === undefined) expect(text, line).to.not.equal(null);
    for (const end of text?.slice(1, 5) ?? []) if (end !== undefined) expect(participants, line).to.include(end);
  }
  expect(participants.size).to.be.within(1, 20);
  expect(lines.length).to.be.lessThan(100);
}

describe('explore', function () {
  this.timeout(120_000);

  it('runs a protocol under 1,000 seeds of faults; the same seed gives the same history, byte for byte', async () => {
    const hashes = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      const passed = ({ history }: Simulation): void => {
        expect(history.length).to.be.greaterThan(1000);
        found.push(createHash('sha256').update(history).digest('hex'));
      };
      const explored = await explore({ ...lease('none'), record: 'timers', passed });
      expect(explored.seeds).to.equal(1000);
      return found;
    };
    const first = await hashes();
    expect(new Set(first).size).to.equal(1000);
    expect(await hashes()).to.deep.equal(first);
  });

  it('passes ten simulated minutes of a seed in at most 50,000 events', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { events, time } = await explore({
        ...lease('none'),
        seeds: [seed, seed],
        scenario: leaseScenario('none', 600),
      });
      expect(events, `seed ${seed}`).to.be.within(1, 50_000);
      expect(time, `seed ${seed}`).to.be.at.least(600_000);
    }
  });

  it('goes the same way whatever is recorded', async () => {
    const results: Explored[] = [];
    for (const record of ['none', 'events', 'frames', 'timers'] as const) {
      results.push(await explore({ ...lease('none'), seeds: [1, 20], record }));
    }
    expect(results).to.deep.equal(results.map(() => results[0]));
  });

  it('finds a missing fence within those seeds, and its shortest history', async () => {
    const failure = await failureOf(lease('unfenced'));
    expect(failure.code).to.equal('EXPLORATION_FAILED');
    expect(failure.message).to.include(`Seed ${failure.seed} fails: an update is lost`);
    checkDiagram(failure.diagram);
    expect(failure.message).to.include(failure.diagram).and.include(`MEZZO_REPLAY='${failure.replay}'`);
    // Two holders of leases, and what kept the first one from writing in time.
    expect(failure.replay.split(',').length).to.be.within(3, 5);
    expect(failure.diagram).to.match(/write \{token: 2.*[^]*write \{token: 1/);
  });

  it('finds a token that was not synced, by a loss of power', async () => {
    const failure = await failureOf(lease('unsynced'));
    expect(failure.replay).to.include('power.');
    expect(failure.diagram).to.include('power lost lock');
    checkDiagram(failure.diagram);
  });

  it('replays a seed, or the shortest history of one, to the byte', async () => {
    const { replay, history, seed } = await failureOf(lease('unfenced'));
    const again = await failureOf({ ...lease('unfenced'), replay });
    expect(again.history).to.equal(history);
    expect(again.replay).to.equal(replay);
    const whole = await failureOf({ ...lease('unfenced'), replay: seed });
    expect(whole.history.length).to.be.greaterThan(history.length);
    expect(await explore({ ...lease('none'), replay })).to.include({ seeds: 1 });
    expect(await failureOfReplay('none of it')).to.equal('EXPLORATION_FAILED');
  });

  it('takes what to replay from the environment', async () => {
    process.env['MEZZO_REPLAY'] = '3';
    try {
      const seen: number[] = [];
      await explore({ seeds, scenario: async (world) => void seen.push(world.seed) });
      expect(seen).to.deep.equal([3]);
    } finally {
      delete process.env['MEZZO_REPLAY'];
    }
  });

  it('leaves out acts that do not matter, and keeps those that do with their own chance', async () => {
    const failure = await failureOf({
      seeds: [1, 1],
      scenario: async (world) => {
        const drawn: number[] = [];
        for (let act = 1; act <= 40; act++) {
          await world.advance('1s');
          world.act(`act ${act}`, (random) => {
            const chance = random.next();
            if (act % 17 === 0) drawn.push(chance);
          });
        }
        if (drawn.length === 2) throw new Error(`failed with ${drawn.join(' and ')}`);
      },
    });
    expect(failure.replay).to.equal('1:act.17,act.34');
    const message = failure.cause instanceof Error ? failure.cause.message : '';
    expect(failure.message).to.include(`It fails with: ${message}`);
  });

  it('does not take another failure for the one it shortens', async () => {
    const failure = await failureOf({
      seeds: [1, 1],
      scenario: async (world) => {
        const done = world.act('the act', () => true);
        throw new Error(done === true ? 'the failure' : 'another failure');
      },
    });
    expect(failure.replay).to.equal('1:act.1');
  });

  it('fails a seed under which a process went past its runtime', async () => {
    const failure = await failureOf({
      seeds: [1, 1],
      scenario: async (world) => {
        const runtime = await world.start('a');
        void runtime.dispatch(runtime.spawn(new Idle('idle')), () => Date.now());
        await world.settle();
      },
    });
    expect(failure.cause).to.be.instanceOf(ProcessError).with.property('code', 'OUTSIDE_THE_SEAM');
  });

  it('fails a scenario that waits while nobody lets time pass', async () => {
    const failure = await failureOf({
      seeds: [1, 1],
      shrinkingRuns: 0,
      scenario: async (world) => {
        const runtime = await world.start('a');
        await runtime.wait(runtime.spawn(new Idle('idle')));
      },
    });
    expect(failure.cause).to.be.instanceOf(ProcessError).with.property('code', 'SETTLE_IMPOSSIBLE');
  });
});

async function failureOfReplay(replay: string): Promise<unknown> {
  try {
    await explore({ ...lease('none'), replay });
    return undefined;
  } catch (error) {
    return error instanceof ProcessError ? error.code : error;
  }
}
