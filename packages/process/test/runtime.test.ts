import { expect } from 'chai';
import {
  Deferred,
  dispatch,
  type Future,
  json,
  message,
  Process,
  ProcessError,
  Runtime,
  SpawnRefused,
} from '@mezzo/process';
import { httpServer } from '@mezzo/process/http';
import { Simulation } from '@mezzo/process/testing';

const Item = message<{ tags: string[]; nested: { deep: number } }>('item');

class Plain extends Process {
  ended = 0;
  value(): string {
    return 'alive';
  }
  protected override finalize(): void {
    this.ended++;
  }
}

describe('Runtime', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  const refusal = (spawn: () => unknown): string => {
    try {
      spawn();
    } catch (error) {
      expect(error).to.be.instanceOf(SpawnRefused);
      return error instanceof ProcessError ? error.code : '';
    }
    return 'spawned';
  };

  describe('spawn', () => {
    it('LP-SRC-01 refuses an id that a living process has; that process goes on, and the object may try again', async () => {
      const first = runtime.spawn(new Plain('x'));
      const second = new Plain('x');
      expect(refusal(() => runtime.spawn(second))).to.equal('PROCESS_ID_TAKEN');
      const alive = dispatch(first, (process) => process.value());
      await world.settle();
      expect(alive.get()).to.equal('alive');
      runtime.terminate(first);
      await world.settle();
      expect(runtime.spawn(second).id).to.equal('x');
    });

    it('refuses an id that reads as an address; every other one is read back from its address and alone', () => {
      for (const id of ['x@y', 'a@b@c', 'x@y#1.1']) {
        expect(
          refusal(() => runtime.spawn(new Plain(id))),
          id,
        ).to.equal('PID_INVALID');
      }
      for (const id of ['a#1.1', 'executor(one/two)', 'executor(one/a@b)', 'a b', '#']) {
        const pid = runtime.spawn(new Plain(id));
        expect(runtime.pid(pid.address).equals(pid), id).to.equal(true);
        expect(runtime.pid(pid.toString()).id).to.equal(id);
        if (!id.includes('@')) expect(runtime.pid(id).id).to.equal(id);
      }
    });

    it('knows no address of an empty id', () => {
      expect(() => runtime.pid(''))
        .to.throw("Invalid process address ''")
        .with.property('code', 'PID_INVALID');
    });

    it('LP-SRC-02 refuses an object that was spawned before, also after it ended', async () => {
      const process = new Plain('x');
      const pid = runtime.spawn(process);
      expect(refusal(() => runtime.spawn(process))).to.equal('PROCESS_SPAWNED_BEFORE');
      runtime.terminate(pid);
      await world.settle();
      expect(refusal(() => runtime.spawn(process))).to.equal('PROCESS_SPAWNED_BEFORE');
    });

    it('LP-SRC-03 refuses what is no process, and everybody from the moment it stops', async () => {
      // @ts-expect-error nothing is no process
      expect(() => runtime.spawn(undefined)).to.throw(TypeError);
      expect(runtime.processes).to.deep.equal([]);
      const stopping = runtime.stop();
      expect(refusal(() => runtime.spawn(new Plain()))).to.equal('RUNTIME_STOPPING');
      await world.settle();
      expect(stopping.isReady).to.equal(true);
      expect(refusal(() => runtime.spawn(new Plain()))).to.equal('RUNTIME_STOPPING');
      expect(runtime.processes).to.deep.equal([]);
    });

    it('LP-SRC-04 numbers ids per prefix, and never gives a number twice', async () => {
      expect([runtime.generateId('x'), runtime.generateId('x'), runtime.generateId('y')]).to.deep.equal([
        'x(1)',
        'x(2)',
        'y(1)',
      ]);
      const first = runtime.spawn(new Plain());
      runtime.terminate(first);
      await world.settle();
      const second = runtime.spawn(new Plain());
      expect([first.id, second.id]).to.deep.equal(['(1)', '(2)']);
    });

    it('gives each process of an id a generation of its own, so that the address of the dead one does not reach the next', async () => {
      const first = runtime.spawn(new Plain('x'));
      runtime.terminate(first);
      await world.settle();
      const second = runtime.spawn(new Plain('x'));
      expect(first.equals(second)).to.equal(false);
      const letters: string[] = [];
      runtime.onDeadLetter(({ reason }) => void letters.push(reason));
      expect(runtime.send(first, Item, { tags: [], nested: { deep: 1 } })).to.equal(false);
      const parsed = runtime.pid(first.address);
      expect(runtime.send(parsed, Item, { tags: [], nested: { deep: 1 } })).to.equal(false);
      expect(runtime.send(runtime.pid('y'), Item, { tags: [], nested: { deep: 1 } })).to.equal(false);
      expect(letters).to.deep.equal(['ended', 'stale', 'unknown']);
      expect(runtime.send(runtime.pid('x'), Item, { tags: [], nested: { deep: 1 } })).to.equal(true);
    });
  });

  describe('wait', () => {
    it('LP-SRC-12 tells an end from no process and from a limit that passed', async () => {
      const pid = runtime.spawn(new Plain('x'));
      expect(runtime.wait(runtime.nobody).get()).to.equal(false);
      expect(runtime.wait(runtime.nobody, { timeout: '1s' }).get()).to.equal(false);
      expect(runtime.wait(runtime.pid('unknown')).get()).to.equal(false);
      expect(runtime.wait(runtime.pid('unknown'), { timeout: '1s' }).get()).to.equal(true);
      const passed = runtime.wait(pid, { timeout: '1s' });
      await world.advance(999);
      expect(passed.isPending).to.equal(true);
      await world.advance(1);
      expect(passed.get()).to.equal(false);
      const unbounded = runtime.wait(pid);
      const within = runtime.wait(pid, { timeout: '1s' });
      runtime.terminate(pid);
      await world.settle();
      expect([unbounded.get(), within.get()]).to.deep.equal([true, true]);
      expect(runtime.wait(pid).get()).to.equal(false);
      expect(runtime.wait(pid, { timeout: '1s' }).get()).to.equal(true);
    });

    it('LP-SRC-05 once it is over, the id can be used again at once', async () => {
      const pid = runtime.spawn(new Plain('x'));
      let again: string | undefined;
      runtime.wait(pid).onReady(() => {
        again = runtime.spawn(new Plain('x')).id;
      });
      runtime.terminate(pid);
      await world.settle();
      expect(again).to.equal('x');
    });
  });

  describe('stop', () => {
    it('lets each process serve what it has queued and finalize, the last spawned first', async () => {
      const order: string[] = [];
      class Orderly extends Process {
        protected override finalize(): void {
          order.push(`finalize ${this.self.id}`);
        }
        work(): void {
          order.push(`work ${this.self.id}`);
        }
      }
      for (const id of ['a', 'b']) void dispatch(runtime.spawn(new Orderly(id)), (process) => process.work());
      const stopped = runtime.stop();
      await world.settle();
      expect(stopped.isReady).to.equal(true);
      expect(order.filter((line) => line.startsWith('finalize'))).to.deep.equal(['finalize b', 'finalize a']);
      expect(order.filter((line) => line.startsWith('work'))).to.have.length(2);
      expect(runtime.processes).to.deep.equal([]);
      expect(runtime.stop()).to.equal(stopped);
    });

    it('ends a process whose handler never settles after a grace of 10 s', async () => {
      const plain = new Plain();
      const pid = runtime.spawn(plain);
      void dispatch(pid, () => new Promise(() => undefined));
      await world.settle();
      const stopped = runtime.stop();
      await world.advance(9999);
      expect([stopped.isPending, plain.ended]).to.deep.equal([true, 0]);
      await world.advance(1);
      expect([stopped.isReady, plain.ended]).to.deep.equal([true, 1]);
    });

    it('crash ends without a word: nobody finalizes, nothing is served', async () => {
      const plain = new Plain();
      const pid = runtime.spawn(plain);
      void dispatch(pid, (process) => process.ended++);
      world.crash('node');
      await world.settle();
      expect(plain.ended).to.equal(0);
    });
  });

  describe('several in one OS process', () => {
    it('LP-SRC-56 one that stops drains its mailboxes; the next one has processes, timers and HTTP as the first had', async () => {
      const log: string[] = [];
      class Living extends Process {
        protected override initialize(): void {
          this.route('/', () => json('served'));
        }
        protected override finalize(): void {
          log.push(`finalize ${this.self.id}`);
        }
        note(text: string): void {
          log.push(text);
        }
        later(): Future<string> {
          const fired = new Deferred<string>();
          this.delay('1ms', () => fired.set('fired'));
          return fired.future;
        }
      }
      const incarnations: number[] = [];
      for (let life = 1; life <= 2; life++) {
        const real = await Runtime.start({ name: 'real', http: httpServer() });
        incarnations.push(real.incarnation);
        const pids = ['a', 'b'].map((id) => real.spawn(new Living(id)));
        for (const pid of pids) expect(await dispatch(pid, (process) => process.later())).to.equal('fired');
        const page = `${real.url ?? ''}/a`;
        expect(await (await fetch(page)).text()).to.equal('"served"');
        for (const pid of pids) void dispatch(pid, (process) => process.note(`queued ${pid.id}`));
        const stopped = real.stop();
        expect(refusal(() => real.spawn(new Plain()))).to.equal('RUNTIME_STOPPING');
        await stopped;
        expect(log.splice(0)).to.have.members(['queued a', 'queued b', 'finalize a', 'finalize b']);
        expect(await fetch(page).catch(() => 'refused')).to.equal('refused');
      }
      expect(new Set(incarnations).size).to.equal(2);
    });

    it('an address that another runtime spawned is remote: messages need a schema and the network, dispatches are abandoned', async () => {
      const other = await world.start('other');
      const plain = new Plain('x');
      const pid = other.spawn(plain);
      runtime.spawn(new Plain('x'));
      const letters: string[] = [];
      runtime.onDeadLetter(({ reason }) => void letters.push(reason));
      expect(runtime.send(pid, Item, { tags: [], nested: { deep: 1 } })).to.equal(false);
      expect(letters).to.deep.equal(['local-only']);
      const called = runtime.dispatch(pid, (process) => process.value());
      expect(called.isAbandoned).to.equal(true);
      runtime.terminate(pid);
      await world.settle();
      expect([plain.ended, runtime.processes, other.processes]).to.deep.equal([0, ['x'], ['x']]);
    });

    it('an address of a node that has been started again since does not reach its successor', async () => {
      const old = runtime.spawn(new Plain('x'));
      world.crash('node');
      const again = await world.start('node');
      again.spawn(new Plain('x'));
      expect(again.send(old, Item, { tags: [], nested: { deep: 1 } })).to.equal(false);
      expect(again.send(again.pid(old.address), Item, { tags: [], nested: { deep: 1 } })).to.equal(false);
      expect(again.send(again.pid('x'), Item, { tags: [], nested: { deep: 1 } })).to.equal(true);
    });
  });

  describe('hooks', () => {
    it('a broken error hook or listener stops nobody', async () => {
      const seen: unknown[] = [];
      const listen = (reason: unknown): void => void seen.push(reason);
      process.on('unhandledRejection', listen);
      try {
        const fragile = await world.start('fragile', {
          onError: () => {
            throw new Error('hook');
          },
        });
        fragile.onDeadLetter(() => {
          throw new Error('listener');
        });
        const pid = fragile.spawn(new Plain());
        fragile.send(fragile.pid('nobody'), Item, { tags: [], nested: { deep: 1 } });
        const alive = dispatch(pid, (one) => one.value());
        await world.settle();
        expect(alive.get()).to.equal('alive');
        expect([...new Set(seen.map(String))]).to.deep.equal(['Error: hook']);
      } finally {
        process.off('unhandledRejection', listen);
      }
    });

    it('with freeze, changing what was sent throws, however deep', async () => {
      class Changing extends Process {
        protected override initialize(): void {
          this.install(Item, (body) => {
            body.nested.deep++;
          });
        }
      }
      const frozen = await world.start('frozen', { onError: () => undefined });
      const pid = frozen.spawn(new Changing());
      const body = { tags: ['a'], nested: { deep: 1 } };
      frozen.send(pid, Item, body);
      expect(() => body.tags.push('b')).to.throw(TypeError);
      const ended = frozen.wait(pid);
      await world.settle();
      expect(ended.get()).to.equal(true);
      expect(body.nested.deep).to.equal(1);
    });
  });

  it('refuses a node name that cannot be part of a subject', async () => {
    let code: unknown;
    await Runtime.start({ name: 'a.b' }).catch((error: unknown) => {
      code = error instanceof ProcessError ? error.code : error;
    });
    expect(code).to.equal('NODE_NAME_INVALID');
  });
});
