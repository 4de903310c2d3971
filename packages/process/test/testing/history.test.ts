import { type Future, message, type PID, Process, type WireSchema } from '@mezzo/process';
import { type HistoryRecord, sequenceDiagram, Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

const Say = message('say', {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
} as WireSchema<unknown>);

class Speaker extends Process {
  protected override initialize(): void {
    this.install(Say, (body) => {
      if (body === 'die') throw new Error('as told');
    });
  }
  say(to: PID, body: unknown): void {
    this.link(to);
    this.send(to, Say, body);
  }
  read(path: string): Future<unknown> {
    return this.runtime.files.read(path);
  }
}

describe('the history of a simulated world', () => {
  async function told(record: 'none' | 'events' | 'frames' | 'timers'): Promise<Simulation> {
    const world = new Simulation({ record, fate: () => ({ delay: 5 }), onError: () => {} });
    const [a, b] = [await world.start('a'), await world.start('b')];
    const speaker = a.spawn(new Speaker('speaker'));
    b.spawn(new Speaker('listener'));
    void a.dispatch(speaker, 'say', a.pid('listener@b'), { text: 'hi', list: [1, 2, 3], bytes: new Uint8Array(9) });
    await world.advance(100);
    world.note('now it dies');
    void a.dispatch(speaker, 'say', a.pid('listener@b'), 'die');
    await world.advance(100);
    world.network.partition('a', 'b');
    void a.dispatch(speaker, 'say', a.pid('listener@b'), 'into the void');
    void a.dispatch(speaker, 'say', a.pid('nobody'), 'nobody');
    await world.advance(100);
    return world;
  }

  it('tells what was served, who began and ended, dead letters, faults and notes', async () => {
    const world = await told('events');
    expect(world.history.split('\n').slice(0, -1)).to.deep.equal([
      '0.000 ! start a',
      '0.000 ! start b',
      '0.000 * speaker@a spawned',
      '0.000 * listener@b spawned',
      '0.000  -> speaker@a dispatch say',
      '15.000 speaker@a -> listener@b say {text: hi, list: [1, 2, 3], bytes: 9 bytes}',
      '100.000 # now it dies',
      '100.000  -> speaker@a dispatch say',
      '105.000 speaker@a -> listener@b say die',
      '105.000 ! error at b: process listener@b crashed: as told',
      '105.000 * listener@b ended {kind: crashed, message: as told, error: as told}',
      '110.000 listener@b -> speaker@a exited {kind: crashed, message: as told}',
      '200.000 ! partition a | b',
      '200.000  -> speaker@a dispatch say',
      '200.000  -> speaker@a dispatch say',
      '200.000 * nobody@a dead letter say (unknown)',
      "200.000 nobody@a -> speaker@a exited {kind: unreachable, message: no process 'nobody' on node 'a'}",
    ]);
    await world.stop();
  });

  it('has frames and what became of them, and timers, if asked to; nothing if not', async () => {
    const frames = await told('frames');
    expect(frames.history).to.match(/^15\.000 a => b batch 1 ack 0: link, speaker>listener say$/m);
    expect(frames.history).to.match(/^200\.000 a =x b batch \d+ ack \d+: .*speaker>listener say \(partition\)$/m);
    expect(frames.history).to.not.match(/^\S+ ~/m);
    const timers = await told('timers');
    expect(timers.history).to.match(/^\d+\.\d+ ~ a$/m);
    const none = await told('none');
    expect(none.history).to.equal('');
    for (const world of [frames, timers, none]) await world.stop();
  });

  it('keeps large and odd bodies short', async () => {
    const world = new Simulation({ record: 'events' });
    const runtime = await world.start('a');
    const pid = runtime.spawn(new Speaker('speaker'));
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const bodies = [
      'x'.repeat(1000),
      Array.from({ length: 1000 }, () => 'y'),
      cyclic,
      new Map([[1, 2]]),
      null,
      7n,
      Symbol('s'),
      pid,
    ];
    for (const body of bodies) runtime.send(pid, Say, body);
    await world.settle();
    const lines = world.history.split('\n').filter((line) => line.includes('say'));
    expect(lines.map((line) => line.replace(/^.*?say ?/, ''))).to.deep.equal([
      `${'x'.repeat(40)}...`,
      '[y, y, y, y, y, y, ...]',
      '{self: {self: ...}}',
      '1 entries',
      'null',
      '7',
      'symbol',
      'speaker@a',
    ]);
    await world.stop();
  });
});

describe('sequenceDiagram', () => {
  it('draws messages, exits, what was lost, faults and notes', async () => {
    const records: HistoryRecord[] = [
      { at: 0, kind: 'fault', text: 'start a; not #1' },
      { at: 1, kind: 'served', event: 'message', from: 'x@a', to: 'y@b', text: 'ping {n: <1>}' },
      {
        at: 2,
        kind: 'frame',
        from: 'b',
        to: 'a',
        text: 'batch',
        lost: 'partition',
        messages: [{ from: 'y', to: '?', name: 'pong' }],
      },
      {
        at: 2,
        kind: 'frame',
        from: 'b',
        to: 'a',
        text: 'batch',
        lost: undefined,
        messages: [{ from: 'y', to: 'x', name: 'pong' }],
      },
      { at: 3, kind: 'served', event: 'exited', from: 'y@b', to: 'x@a', text: 'exited {kind: lost}' },
      { at: 3, kind: 'served', event: 'dispatch', from: '', to: 'x@a', text: 'dispatch' },
      { at: 4, kind: 'process', pid: 'x@a', text: 'spawned' },
      { at: 5, kind: 'note', text: 'two\nlines' },
    ];
    expect(sequenceDiagram(records)).to.equal(
      [
        'sequenceDiagram',
        '  participant p1 as x@a',
        '  participant p2 as y@b',
        '  participant p3 as asks of a',
        '  Note over p1,p3: start a#59; not #35;1 (0 ms)',
        '  p1->>p2: ping {n: #60;1#62;} (1 ms)',
        '  p2--xp3: pong, partition (2 ms)',
        '  p2-->>p1: exited {kind: lost} (3 ms)',
        '  Note over p1,p3: two lines (5 ms)',
      ].join('\n'),
    );
  });

  it('draws the end of a long history, and something of an empty one', () => {
    const records: HistoryRecord[] = Array.from({ length: 200 }, (_, at) => ({
      at,
      kind: 'note',
      text: `${at} ${'long '.repeat(100)}`,
    }));
    const lines = sequenceDiagram(records).split('\n');
    expect(lines).to.have.length(63);
    expect(lines[2]).to.equal('  Note over p1: 140 earlier entries are left out');
    expect(Math.max(...lines.map((line) => line.length))).to.be.lessThan(150);
    expect(sequenceDiagram([])).to.equal('sequenceDiagram\n  participant p1 as world');
  });
});
