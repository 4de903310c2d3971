import { expect } from 'chai';
import { dispatch, type Future, message, Process, request, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

const Work = message<string>('work');
const Count = request<string, number>('count');

/** Does each work until its test lets it go on. */
class Worker extends Process {
  readonly begun: string[] = [];
  readonly done: string[] = [];
  readonly #waiting = new Map<string, { readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  readonly #interleaved: boolean;

  constructor(id: string, interleaved: boolean) {
    super(id);
    this.#interleaved = interleaved;
  }

  protected override initialize(): void {
    const options = { interleaved: this.#interleaved };
    this.install(Work, (name) => this.work(name), options);
    this.answer(Count, (name) => this.work(name).then(() => this.done.length), options);
  }

  async work(name: string): Promise<void> {
    this.begun.push(name);
    if (name !== 'nothing') {
      await new Promise<void>((resolve, reject) => this.#waiting.set(name, { resolve, reject }));
    }
    this.done.push(name);
  }

  finish(name: string): void {
    this.#waiting.get(name)?.resolve();
  }
  refuse(name: string): void {
    this.#waiting.get(name)?.reject(new Error(`${name} went wrong`));
  }
  get ending(): AbortSignal {
    return this.signal;
  }
}

describe('async handlers', () => {
  let world: Simulation;
  let runtime: Runtime;
  const errors: string[] = [];
  const lines: string[] = [];

  beforeEach(async () => {
    errors.length = lines.length = 0;
    world = new Simulation();
    const note = (fields: object, text: string): void => void lines.push(`${JSON.stringify(fields)} ${text}`);
    runtime = await world.start('node', {
      onError: (error, context) => errors.push(`${context}: ${String(error)}`),
      log: { debug() {}, info() {}, error() {}, warn: note },
      longHold: '2s',
    });
  });

  afterEach(async () => {
    await world.stop();
  });

  const spawn = (interleaved: boolean) => {
    const worker = new Worker('worker', interleaved);
    return { worker, pid: runtime.spawn(worker) };
  };

  describe('that are interleaved', () => {
    it('run at the same time, and end in any order', async () => {
      const { worker, pid } = spawn(true);
      for (const name of ['a', 'b', 'c']) runtime.send(pid, Work, name);
      await world.settle();
      expect(worker.begun).to.deep.equal(['a', 'b', 'c']);
      worker.finish('c');
      worker.finish('a');
      await world.settle();
      expect(worker.done).to.deep.equal(['c', 'a']);
    });

    it('answer each its own question', async () => {
      const { worker, pid } = spawn(true);
      const answers = ['a', 'b'].map((name) => runtime.ask(pid, Count, name));
      await world.settle();
      worker.finish('b');
      await world.settle();
      expect(answers.map((answer) => answer.isReady)).to.deep.equal([false, true]);
      worker.finish('a');
      await world.settle();
      expect(answers.map((answer) => answer.get())).to.deep.equal([2, 1]);
    });

    it('end the process when one rejects; whoever asked it is told why, and the others that the process is gone', async () => {
      const { worker, pid } = spawn(true);
      const ended = runtime.watch(pid);
      const answers = ['a', 'b'].map((name) => runtime.ask(pid, Count, name));
      await world.settle();
      worker.refuse('a');
      await world.settle();
      expect(ended.get()).to.include({ kind: 'crashed', message: 'a went wrong' });
      expect(errors).to.deep.equal(['process worker@node crashed: Error: a went wrong']);
      for (const answer of answers) {
        expect(answer.failure()).to.have.property('code', 'PROCESS_ENDED');
        expect(answer.toString()).to.include("did not answer 'count': the process crashed before: a went wrong");
        expect((answer.failure() as Error).cause).to.have.property('message', 'a went wrong');
      }
    });

    it('tell whoever asked a kind that was only installed, too', async () => {
      const Reply = message<number>('reply');
      const { worker, pid } = spawn(true);
      const asked = runtime.ask(pid, Work, 'a', { reply: Reply });
      await world.settle();
      worker.refuse('a');
      await world.settle();
      expect(asked.toString()).to.include("did not answer 'work': the process crashed while handling it: a went wrong");
    });

    it('that settle after their process ended are counted, and change nothing', async () => {
      const { worker, pid } = spawn(true);
      for (const name of ['a', 'b']) runtime.send(pid, Work, name);
      const answer = runtime.ask(pid, Count, 'c');
      await world.settle();
      runtime.terminate(pid);
      await world.settle();
      expect(answer.toString()).to.include('the process has ended');
      const letters = runtime.metrics.deadLetters;
      worker.finish('a');
      worker.refuse('b');
      worker.finish('c');
      await world.settle();
      expect(runtime.metrics.lateSettlements).to.equal(3);
      expect(errors).to.deep.equal([]);
      expect(runtime.metrics.deadLetters).to.equal(letters);
    });
  });

  describe('that hold the mailbox', () => {
    it('run one after another', async () => {
      const { worker, pid } = spawn(false);
      for (const name of ['a', 'b']) runtime.send(pid, Work, name);
      await world.settle();
      expect(worker.begun).to.deep.equal(['a']);
      worker.finish('a');
      await world.settle();
      expect(worker.begun).to.deep.equal(['a', 'b']);
    });

    it('for long are reported once, with handler, time and how many wait', async () => {
      const { worker, pid } = spawn(false);
      const told: unknown[] = [];
      runtime.inspect((inspected) => void (inspected.kind === 'held' && told.push(inspected)));
      runtime.send(pid, Work, 'a');
      runtime.send(pid, Work, 'b');
      await world.advance(1999);
      expect(lines).to.deep.equal([]);
      await world.advance(1);
      const line =
        '{"process":"worker@node","handler":"work","milliseconds":2000,"waiting":1} an async handler holds its mailbox: ' +
        'await less in it, or install it as interleaved';
      expect(lines).to.deep.equal([line]);
      expect(told).to.deep.equal([{ kind: 'held', pid, handler: 'work', milliseconds: 2000 }]);
      expect(runtime.metrics.longHolds).to.equal(1);
      const snapshot = runtime.metrics.snapshot();
      await world.settle();
      expect(snapshot.get().get('process/long_holds')).to.equal(1);
      await world.advance('1hrs');
      expect(lines).to.have.length(1);
      worker.finish('a');
      await world.advance('2s');
      expect(lines).to.have.length(2);
    });

    it('are named after what they handle', async () => {
      class Slow extends Worker {
        protected override exited(): Promise<void> {
          return this.work('exited');
        }
        watches(): void {
          this.link(runtime.pid('nobody'));
        }
      }
      class Starting extends Process {
        protected override initialize(): Promise<void> {
          return new Promise(() => undefined);
        }
      }
      const begin: ((pid: ReturnType<typeof runtime.spawn<Slow>>) => Future<unknown>)[] = [
        (pid) => runtime.dispatch(pid, 'work', 'x'),
        (pid) => dispatch(pid, (process) => process.work('x')),
        (pid) => dispatch(pid, (process) => process.watches()),
        (pid) => runtime.ask(pid, Count, 'x').onFailed(() => undefined),
      ];
      begin.forEach((act, index) => void act(runtime.spawn(new Slow(`slow${index}`, false))));
      runtime.spawn(new Starting('starting'));
      await world.advance('2s');
      const handlers = lines.map((line) =>
        /"process":"(.*)@node","handler":"(.*)","mill/.exec(line)?.slice(1).join(' '),
      );
      expect(handlers).to.have.members([
        'slow0 work',
        'slow1 a dispatched function',
        'slow2 exited',
        'slow3 count',
        'starting initialize',
      ]);
    });

    it('are each reported when their own time is up', async () => {
      const pids = ['a', 'b', 'c'].map((id) => runtime.spawn(new Worker(id, false)));
      for (const pid of pids) {
        runtime.send(pid, Work, 'x');
        await world.advance('1s');
      }
      const due = (): string[] => lines.map((line) => line.slice(0, 15));
      expect(due()).to.deep.equal(['{"process":"a@n', '{"process":"b@n']);
      await world.advance('1s');
      expect(due()).to.have.length(3);
    });

    it('are reported though another one has settled meanwhile', async () => {
      const workers = ['a', 'b'].map((id) => new Worker(id, false));
      for (const worker of workers) runtime.send(runtime.spawn(worker), Work, 'x');
      await world.advance('1s');
      workers[0]?.finish('x');
      await world.advance('1s');
      expect(lines.map((line) => line.slice(0, 15))).to.deep.equal(['{"process":"b@n']);
    });

    it('for a short time are not reported, and leave no timer behind', async () => {
      const { worker, pid } = spawn(false);
      for (const name of ['a', 'b']) {
        runtime.send(pid, Work, name);
        await world.advance('1.5s');
        expect(world.clock.nextDue()).to.not.equal(undefined);
        worker.finish(name);
        await world.settle();
        expect(world.clock.nextDue()).to.equal(undefined);
      }
      runtime.send(pid, Work, 'nothing');
      await world.advance('1mins');
      expect(lines).to.deep.equal([]);
    });

    it('and whose process ends meanwhile are forgotten', async () => {
      const { pid } = spawn(false);
      runtime.send(pid, Work, 'a');
      await world.settle();
      runtime.terminate(pid);
      await world.settle();
      expect(world.clock.nextDue()).to.equal(undefined);
      await world.advance('1mins');
      expect(lines).to.deep.equal([]);
    });

    it('leave no timer behind when the runtime stops', async () => {
      const { pid } = spawn(false);
      runtime.send(pid, Work, 'a');
      await world.settle();
      const stopped = runtime.stop();
      await world.advance('11s');
      expect(stopped.isReady).to.equal(true);
      expect(world.clock.nextDue()).to.equal(undefined);
    });
  });

  it('may be reported after another time', async () => {
    const patient = await world.start('patient', { longHold: '1mins', log: runtime.log });
    patient.send(patient.spawn(new Worker('worker', false)), Work, 'a');
    await world.advance('59s');
    expect(lines).to.deep.equal([]);
    await world.advance('1s');
    expect(lines).to.have.length(1);
  });

  describe("a process's signal", () => {
    it('aborts when the process ends, with why', async () => {
      const { worker, pid } = spawn(false);
      const { ending } = worker;
      expect(worker.ending).to.equal(ending);
      let aborts = 0;
      ending.addEventListener('abort', () => aborts++);
      await world.settle();
      expect(ending.aborted).to.equal(false);
      runtime.terminate(pid);
      await world.settle();
      expect(aborts).to.equal(1);
      expect(ending.reason).to.have.property('message', 'worker@node has ended');
    });

    it('aborts during a hold and after a crash, and is aborted where it is asked for later', async () => {
      const { worker, pid } = spawn(false);
      runtime.send(pid, Work, 'a');
      await world.settle();
      const { ending } = worker;
      void dispatch(pid, () => undefined);
      runtime.terminate(pid);
      expect(ending.aborted).to.equal(true);
      const crashing = new Worker('crashing', false);
      void dispatch(runtime.spawn(crashing), () => {
        throw new Error('boom');
      });
      await world.settle();
      expect(crashing.ending.aborted).to.equal(true);
    });
  });
});
