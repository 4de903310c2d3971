import { expect } from 'chai';
import {
  AddChild,
  ChildAdded,
  ChildRemoved,
  type ChildSpec,
  dispatch,
  type ExitReason,
  type LocalPID,
  message,
  ProcessError,
  RemoveChild,
  type Runtime,
  Supervisor,
  type SupervisorOptions,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

import { backoffDelay } from '../../src/supervision/backoff.ts';
import { Crash, Diary, Member, Quit, Work } from './family.ts';

describe('Supervisor', () => {
  let world: Simulation;
  let runtime: Runtime;
  let diary: Diary;
  let errors: string[];

  beforeEach(async () => {
    world = new Simulation({ seed: 7 });
    errors = [];
    runtime = await world.start('node', { onError: (error) => void errors.push(String(error)) });
    diary = new Diary();
  });
  afterEach(async () => {
    await world.stop();
  });

  const child = (id: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
    id,
    start: () => new Member(id, diary),
    ...more,
  });
  const supervise = async (options: SupervisorOptions, id = 'boss'): Promise<LocalPID<Supervisor>> => {
    const pid = runtime.spawn(new Supervisor(id, options));
    await world.settle();
    return pid;
  };
  const crash = async (id: string): Promise<void> => {
    runtime.send(runtime.pid(id), Crash, `${id} broke`);
    await world.settle();
  };
  const quit = async (id: string): Promise<void> => {
    runtime.send(runtime.pid(id), Quit);
    await world.settle();
  };
  const exitOf = (pid: LocalPID<Supervisor>): (() => ExitReason | undefined) => {
    const exit = runtime.watch(pid);
    return () => (exit.isReady ? exit.get() : undefined);
  };
  const generationOf = (id: string): number => runtime.cell(id)?.pid.generation ?? 0;

  it('starts each child when the one before is initialized, also if that takes long', async () => {
    const ready = new Promise<void>((resolve) => runtime.clock.timer(1000, resolve));
    class Late extends Member {
      protected override async initialize(): Promise<void> {
        await ready;
        await super.initialize();
      }
    }
    await supervise({ children: [child('a', { start: () => new Late('a', diary) }), child('b')] });
    expect(diary.take()).to.equal('');
    expect(runtime.processes).to.deep.equal(['boss', 'a']);
    await world.advance('1s');
    expect(diary.take()).to.equal('+a +b');
  });

  it('starts all at once without order', async () => {
    const never = new Promise<void>(() => {});
    class Stuck extends Member {
      protected override initialize(): Promise<void> {
        return never;
      }
    }
    await supervise({ inOrder: false, children: [child('a', { start: () => new Stuck('a', diary) }), child('b')] });
    expect(diary.take()).to.equal('+b');
  });

  it('gives a process without an id that of its spec', async () => {
    await supervise({ children: [child('a', { start: () => new Member('', diary) })] });
    expect(runtime.processes).to.deep.equal(['boss', 'a']);
  });

  it('refuses two children of one id, and strategies that need order without it', () => {
    const twins = { children: [child('a'), child('a')] };
    expect(() => new Supervisor('boss', twins))
      .to.throw(ProcessError, "has a child 'a'")
      .with.property('code', 'CHILD_ID_TAKEN');
    expect(() => new Supervisor('boss', { strategy: 'one-for-all', inOrder: false }))
      .to.throw(ProcessError)
      .with.property('code', 'SUPERVISION_INVALID');
  });

  it('refuses options that are out of range, and says what was given and what is expected', () => {
    const backoff = { first: '1s', most: '2s' } as const;
    const cases: [unknown, string, string][] = [
      [{ restarts: -1 }, 'Invalid restarts -1', 'from 0 on, or Infinity'],
      [{ restarts: Number.NaN }, 'Invalid restarts NaN', 'from 0 on, or Infinity'],
      [{ restarts: 1.5 }, 'Invalid restarts 1.5', 'from 0 on, or Infinity'],
      [{ strategy: 'one-for-none' }, "Unknown strategy 'one-for-none'", "'rest-for-one'"],
      [{ backoff: {} }, 'Invalid backoff.first undefined', 'a non-negative number of milliseconds'],
      [{ backoff: { first: '1s' } }, 'Invalid backoff.most undefined', 'a non-negative number of milliseconds'],
      [{ backoff: { ...backoff, healthyAfter: -1 } }, 'Invalid backoff.healthyAfter -1', 'a non-negative number'],
      [{ backoff: { ...backoff, factor: 0.5 } }, 'Invalid backoff.factor 0.5', 'from 1 on'],
      [{ backoff: { ...backoff, factor: Number.NaN } }, 'Invalid backoff.factor NaN', 'from 1 on'],
      [{ backoff: { ...backoff, factor: Infinity } }, 'Invalid backoff.factor Infinity', 'from 1 on'],
      [{ backoff: { ...backoff, jitter: -0.1 } }, 'Invalid backoff.jitter -0.1', 'from 0 to 1'],
      [{ backoff: { ...backoff, jitter: 1.1 } }, 'Invalid backoff.jitter 1.1', 'from 0 to 1'],
      [{ backoff: { ...backoff, jitter: Number.NaN } }, 'Invalid backoff.jitter NaN', 'from 0 to 1'],
    ];
    for (const [options, given, expected] of cases) {
      expect(() => new Supervisor('boss', options as SupervisorOptions), given)
        .to.throw(ProcessError, given)
        .that.satisfies((error: ProcessError) => error.code === 'SUPERVISION_INVALID')
        .and.has.property('message')
        .that.contains("supervisor 'boss'")
        .and.contains(expected);
    }
    for (const fine of [
      { jitter: 0, factor: 1 },
      { jitter: 1, healthyAfter: 0 },
    ])
      expect(() => new Supervisor('boss', { restarts: Infinity, backoff: { ...backoff, ...fine } })).not.to.throw();
  });

  describe('strategies', () => {
    const children = (): ChildSpec[] => ['a', 'b', 'c', 'd'].map((id) => child(id));

    it('one-for-one restarts the child alone, as a new generation of its id', async () => {
      await supervise({ children: children() });
      diary.take();
      const [a, b] = [generationOf('a'), generationOf('b')];
      await crash('b');
      expect(diary.take()).to.equal('-b +b');
      expect(generationOf('b')).to.be.greaterThan(b);
      expect(generationOf('a')).to.equal(a);
    });

    it('one-for-all ends the others in reverse order and starts all in order', async () => {
      await supervise({ children: children(), strategy: 'one-for-all' });
      diary.take();
      await crash('b');
      expect(diary.take()).to.equal('-b -d -c -a +a +b +c +d');
    });

    it('rest-for-one does so with those behind', async () => {
      await supervise({ children: children(), strategy: 'rest-for-one' });
      diary.take();
      await crash('b');
      expect(diary.take()).to.equal('-b -d -c +b +c +d');
    });

    it('ends one after another: the next is told when the one behind has ended', async () => {
      const slow = child('c', { drain: '10s', start: () => new Held('c', diary) });
      await supervise({ children: [child('a'), child('b'), slow], strategy: 'one-for-all' });
      runtime.send(runtime.pid('c'), Hold);
      await world.settle();
      diary.take();
      await crash('a');
      expect(diary.take()).to.equal('-a');
      await world.advance('9s');
      expect(diary.take()).to.equal('');
      await world.advance('1s');
      expect(diary.take()).to.equal('-c -b +a +b +c');
    });
  });

  describe('who is restarted', () => {
    it('permanent: always', async () => {
      await supervise({ children: [child('a')] });
      await quit('a');
      expect(diary.take()).to.equal('+a -a +a');
    });

    it('transient: after a crash only', async () => {
      await supervise({ children: [child('a', { restart: 'transient' })] });
      await crash('a');
      expect(diary.take()).to.equal('+a -a +a');
      await quit('a');
      expect(diary.take()).to.equal('-a');
    });

    it('transient: a child that had ended comes back when its group is restarted, as in OTP', async () => {
      await supervise({ strategy: 'one-for-all', children: [child('a', { restart: 'transient' }), child('b')] });
      await quit('a');
      diary.take();
      await crash('b');
      expect(diary.take()).to.equal('-b +a +b');
    });

    it('temporary: never, not even with its group', async () => {
      const pid = await supervise({
        strategy: 'one-for-all',
        children: [child('a', { restart: 'temporary' }), child('b')],
      });
      diary.take();
      await crash('b');
      expect(diary.take()).to.equal('-b -a +b');
      expect((await dispatch(pid, (boss) => boss.children())).map(({ id }) => id)).to.deep.equal(['b']);
    });

    it('a child that cannot be made or spawned counts as one that crashed', async () => {
      let attempts = 0;
      const start = (): Member => {
        if (++attempts < 3) throw new Error('not yet');
        return new Member('a', diary);
      };
      await supervise({ restarts: 2, children: [child('a', { start }), child('b')] });
      expect(diary.take()).to.equal('+a +b');
      expect(errors).to.deep.equal(['Error: not yet', 'Error: not yet']);
    });
  });

  describe('restart intensity', () => {
    it('gives up above the limit within the period: children end in reverse order, then it crashes', async () => {
      const pid = await supervise({ restarts: 2, period: '10s', children: [child('a'), child('b'), child('c')] });
      const exit = exitOf(pid);
      await crash('b');
      await world.advance('4s');
      await crash('b');
      diary.take();
      await crash('b');
      expect(diary.take()).to.equal('-b -c -a');
      expect(exit()).to.include({ kind: 'crashed' }).with.nested.property('error.code', 'RESTARTS_EXCEEDED');
      expect(errors.at(-1)).to.contain('gives up after more than 2 restarts within 10000 ms').and.contain('b broke');
      expect(runtime.processes).to.deep.equal([]);
    });

    it('forgets restarts that are older than the period', async () => {
      const pid = await supervise({ restarts: 1, period: '10s', children: [child('a')] });
      const exit = exitOf(pid);
      for (let round = 0; round < 5; round++) {
        await crash('a');
        await world.advance('10s');
      }
      expect(exit()).to.equal(undefined);
    });

    it('is 1 within 5 s by default', async () => {
      const pid = await supervise({ children: [child('a')] });
      const exit = exitOf(pid);
      await crash('a');
      await world.advance('4999ms');
      await crash('a');
      expect(exit()).to.include({ kind: 'crashed' });
    });
  });

  describe('backoff', () => {
    const starts: number[] = [];
    const timed = (): ChildSpec =>
      child('a', {
        start: () => {
          starts.push(runtime.platform.clock.now());
          return new Member('a', diary);
        },
      });
    const waits = async (rounds: number): Promise<number[]> => {
      const found: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const now = runtime.platform.clock.now();
        await crash('a');
        const known = starts.length;
        await world.advanceUntil(() => starts.length > known, '1mins');
        found.push((starts.at(-1) ?? 0) - now);
      }
      return found;
    };

    it('waits longer before each restart in a row, up to the most', async () => {
      await supervise({
        restarts: 99,
        children: [timed()],
        backoff: { first: '1s', factor: 3, most: '10s', jitter: 0 },
      });
      expect(await waits(4)).to.deep.equal([1000, 3000, 9000, 10_000]);
    });

    it('has no limit of restarts by default', async () => {
      const pid = await supervise({ children: [timed()], backoff: { first: 1, factor: 1, most: 1, jitter: 0 } });
      const exit = exitOf(pid);
      expect(await waits(20)).to.deep.equal(Array.from({ length: 20 }, () => 1));
      expect(exit()).to.equal(undefined);
    });

    it('keeps to a limit that is given, and to its numbers after any number of failures', async () => {
      const pid = await supervise({ restarts: 1, children: [timed()], backoff: { first: 0, factor: 1e300, most: 5 } });
      const exit = exitOf(pid);
      await waits(1);
      await crash('a');
      expect(exit()).to.include({ kind: 'crashed' });
      const { random } = runtime.platform;
      expect(backoffDelay({ first: 0, factor: 1e300, most: 5 }, 9, random)).to.equal(0);
      expect(backoffDelay({ first: 1, factor: 1e300, most: 5, jitter: 0 }, 9, random)).to.equal(5);
    });

    it('begins anew after a time of health', async () => {
      const backoff = { first: '1s', most: '8s', jitter: 0, healthyAfter: '1mins' } as const;
      await supervise({ restarts: 99, children: [timed()], backoff });
      expect(await waits(2)).to.deep.equal([1000, 2000]);
      await world.advance('59s');
      expect(await waits(1)).to.deep.equal([4000]);
      await world.advance('1mins');
      expect(await waits(1)).to.deep.equal([1000]);
    });

    it('leaves a part to chance, the same for the same seed', async () => {
      await supervise({
        restarts: 99,
        children: [timed()],
        backoff: { first: '1s', factor: 1, most: '1s', jitter: 0.5 },
      });
      const found = await waits(20);
      for (const wait of found) expect(wait).to.be.within(500, 1000);
      expect(new Set(found).size).to.be.greaterThan(10);
    });

    it('holds back those behind where they depend on it, and nobody else', async () => {
      const backoff = { first: '1s', most: '1s', jitter: 0 } as const;
      await supervise({ strategy: 'rest-for-one', children: ['a', 'b', 'c'].map((id) => child(id)), backoff });
      diary.take();
      await crash('b');
      expect(diary.take()).to.equal('-b -c');
      await world.advance('1s');
      expect(diary.take()).to.equal('+b +c');
    });

    it('is over when the child is removed', async () => {
      const pid = await supervise({ children: [child('a')], backoff: { first: '1s', most: '1s' } });
      await crash('a');
      diary.take();
      await dispatch(pid, (boss) => boss.remove('a'));
      await world.advance('1mins');
      expect(diary.take()).to.equal('');
    });
  });

  describe('adding and removing', () => {
    it('by dispatch', async () => {
      const pid = await supervise({ children: [child('a')] });
      const added = await dispatch(pid, (boss) => boss.add(child('b')));
      expect(added.equals(runtime.cell('b')?.pid ?? runtime.nobody)).to.equal(true);
      await world.settle();
      await crash('b');
      await dispatch(pid, (boss) => boss.remove('a'));
      expect(diary.take()).to.equal('+a +b -b +b -a');
      expect(await dispatch(pid, (boss) => boss.children())).to.deep.equal([
        { id: 'b', pid: runtime.cell('b')?.pid, restarts: 1 },
      ]);
    });

    it('by message', async () => {
      const pid = await supervise({});
      const added = await runtime.ask(pid, AddChild, child('a'), { reply: ChildAdded });
      expect(added.id).to.equal('a');
      await runtime.ask(pid, RemoveChild, { id: 'a' }, { reply: ChildRemoved });
      expect(runtime.processes).to.deep.equal(['boss']);
      const again = runtime.ask(pid, RemoveChild, { id: 'a' }, { reply: ChildRemoved });
      await world.settle();
      expect(again.failure()).to.include({ code: 'CHILD_UNKNOWN' });
    });

    it('a child that is still ending keeps its id', async () => {
      const pid = await supervise({ children: [child('a', { drain: '10s', start: () => new Held('a', diary) })] });
      runtime.send(runtime.pid('a'), Hold);
      await world.settle();
      const removed = runtime.dispatch(pid, (boss) => boss.remove('a'));
      const early = runtime.dispatch(pid, (boss) => boss.add(child('a')));
      await world.settle();
      expect(removed.isPending).to.equal(true);
      expect(early.failure()).to.include({ code: 'CHILD_ID_TAKEN' });
      await world.advance('10s');
      expect(removed.isReady).to.equal(true);
      const late = runtime.dispatch(pid, (boss) => boss.add(child('a')));
      await world.settle();
      expect(late.isReady).to.equal(true);
    });

    it('a child that is being restarted can be removed all the same', async () => {
      const slow = child('b', { drain: '10s', start: () => new Held('b', diary) });
      const pid = await supervise({ strategy: 'one-for-all', children: [child('a'), slow] });
      runtime.send(runtime.pid('b'), Hold);
      await world.settle();
      await crash('a');
      const removed = runtime.dispatch(pid, (boss) => boss.remove('b'));
      await world.advance('10s');
      expect(removed.isReady).to.equal(true);
      expect(diary.take()).to.equal('+a +b -a -b +a');
    });

    it('a child whose first start fails is none', async () => {
      const pid = await supervise({});
      const start = (): never => {
        throw new Error('no disk');
      };
      const added = runtime.dispatch(pid, (boss) => boss.add(child('a', { start })));
      await world.settle();
      expect(added.failure()).to.have.property('message', 'no disk');
      expect(await dispatch(pid, (boss) => boss.children())).to.deep.equal([]);
    });

    it('an added child is started when those before it are ready', async () => {
      const pid = await supervise({ children: [child('a', { start: () => new Stuck('a', diary) })] });
      const added = runtime.dispatch(pid, (boss) => boss.add(child('b')));
      await world.settle();
      expect(added.isPending).to.equal(true);
      runtime.terminate(pid);
      await world.settle();
      expect(added.isAbandoned).to.equal(true);
    });
  });

  describe('its own end', () => {
    it('terminated: children end in reverse order, each awaited', async () => {
      const slow = child('c', { drain: '10s', start: () => new Held('c', diary) });
      const boss = new Supervisor('boss', { children: [child('a'), child('b'), slow] });
      const pid = runtime.spawn(boss);
      await world.settle();
      runtime.send(runtime.pid('c'), Hold);
      await world.settle();
      diary.take();
      runtime.terminate(pid);
      await world.advance('9s');
      expect(diary.take()).to.equal('');
      expect(boss.childrenEnded.isPending).to.equal(true);
      await world.advance('1s');
      expect(diary.take()).to.equal('-c -b -a');
      expect(boss.childrenEnded.isReady).to.equal(true);
      expect(errors).to.deep.equal([]);
    });

    it('shutdown: the children end first', async () => {
      const pid = await supervise({ children: [child('a', { start: () => new Held('a', diary), drain: '10s' })] });
      const exit = exitOf(pid);
      runtime.send(runtime.pid('a'), Hold);
      await world.settle();
      const done = runtime.dispatch(pid, (boss) => boss.shutdown());
      await world.advance('9s');
      expect(exit()).to.equal(undefined);
      const refused = runtime.dispatch(pid, (boss) => boss.add(child('b')));
      await world.settle();
      expect(refused.failure()).to.include({ code: 'PROCESS_ENDED' });
      await world.advance('1s');
      expect(exit()).to.deep.equal({ kind: 'terminated' });
      expect(done.isReady).to.equal(true);
      expect(runtime.processes).to.deep.equal([]);
    });

    it('a child with time to drain works on what is queued, another does not', async () => {
      const pid = await supervise({ children: [child('a', { drain: '10s' }), child('b')] });
      diary.take();
      await dispatch(pid, (boss) => {
        for (const n of [1, 2]) for (const id of ['a', 'b']) runtime.send(runtime.pid(id), Work, n);
        boss.shutdown();
      });
      await world.settle();
      expect(diary.take()).to.equal('a:1 a:2 -b -a');
    });

    it('nobody is restarted by a runtime that stops, and nothing is reported', async () => {
      await supervise({ restarts: 0, children: [child('a'), child('b')] });
      diary.take();
      const stopped = runtime.stop();
      await world.advanceUntil(() => !stopped.isPending, '1mins');
      expect(diary.take()).to.equal('-b -a');
      expect(errors).to.deep.equal([]);
    });
  });

  describe('supervisors of supervisors', () => {
    const tree = (limits: SupervisorOptions = {}): ChildSpec => ({
      id: 'inner',
      start: () =>
        new Supervisor('inner', {
          children: [child('x'), child('y', { drain: '2s', start: () => new Held('y', diary) })],
          ...limits,
        }),
    });

    it('one that gives up is restarted with its children', async () => {
      await supervise({ children: [child('a'), tree({ restarts: 0 })] });
      diary.take();
      await crash('x');
      expect(diary.take()).to.equal('-x -y +x +y');
      expect(runtime.processes).to.have.members(['boss', 'a', 'inner', 'x', 'y']);
    });

    it('one that is terminated is started again when its children have ended, however long that takes', async () => {
      await supervise({ children: [child('a'), tree()] });
      runtime.send(runtime.pid('y'), Hold);
      await world.settle();
      diary.take();
      runtime.terminate(runtime.pid('inner'));
      await world.advance('1s');
      expect(diary.take()).to.equal('');
      await world.advance('1s');
      expect(diary.take()).to.equal('-y -x +x +y');
      expect(errors).to.deep.equal([]);
    });

    it('the end of the outer one waits for the children of the inner one', async () => {
      const pid = await supervise({ children: [child('a'), tree()] });
      runtime.send(runtime.pid('y'), Hold);
      await world.settle();
      diary.take();
      runtime.terminate(pid);
      await world.advance('2s');
      expect(diary.take()).to.equal('-y -x -a');
    });

    it('too much for the inner one can be too much for the outer one', async () => {
      const pid = await supervise({ restarts: 1, children: [tree({ restarts: 0 })] });
      const exit = exitOf(pid);
      await crash('x');
      await crash('x');
      expect(exit()).to.include({ kind: 'crashed' });
      expect(runtime.processes).to.deep.equal([]);
    });
  });
});

const Hold = message('hold');

/** After `hold` its mailbox stands still. */
class Held extends Member {
  protected override initialize(): void | Promise<void> {
    this.install(Hold, () => new Promise<void>(() => {}));
    return super.initialize();
  }
}

/** Never gets initialized. */
class Stuck extends Member {
  protected override initialize(): Promise<void> {
    return new Promise<void>(() => {});
  }
}
