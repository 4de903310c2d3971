import { type DoorAnswer, type DoorOptions, message, Process, type PID, type Runtime } from '@mezzo/process';
import { expect } from 'chai';

import { Add, Adder, checked, First, LocalOnly, Sum } from './processes.ts';
import { deadLetters, failure, inWorldsWithDoors, outcome } from './worlds.ts';

const isAnything = (_value: unknown): _value is unknown => true;
const Echo = message('echo', checked(isAnything));
const Echoed = message('echoed', checked(isAnything));
const Late = message('late', checked(isAnything));
const Twice = message('twice', checked(isAnything));
const Unwritable = message<unknown>('unwritable');
const Cyclic = message('cyclic', checked(isAnything));
const Throwing = message('throwing', {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: () => {
      throw new Error('this schema is broken');
    },
  },
});
const Asynchronous = message('asynchronous', {
  '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('later')) },
});

/** Opens a door named as itself, and tells what it heard. */
class Counter extends Adder {
  readonly heard: unknown[] = [];
  readonly senders: PID[] = [];
  readonly #name: string | undefined;
  readonly #options: DoorOptions;

  constructor(id: string, name?: string, options: DoorOptions = {}) {
    super(id);
    this.#name = name;
    this.#options = options;
  }

  protected override initialize(): void {
    super.initialize();
    this.open(this.#name, this.#options);
    this.install(First, (body, from) => {
      this.heard.push(body);
      this.senders.push(from);
    });
    this.install(Echo, (body, from) => {
      this.heard.push(body);
      this.send(from, Echoed, body);
    });
    this.install(Late, (body, from) => {
      this.delay('20ms', () => this.send(from, Echoed, body));
    });
    this.install(Twice, (body) => {
      this.reply(Echoed, body);
      this.reply(Sum, { n: 2 });
    });
    this.install(Cyclic, () => {
      const cyclic: { self?: unknown } = {};
      cyclic.self = cyclic;
      this.reply(Unwritable, cyclic);
    });
    this.install(Throwing, () => {});
    this.install(Asynchronous, () => {});
    this.install(LocalOnly, () => {});
  }

  bound(messages: number): void {
    this.boundMailbox(messages);
  }
}

/** Passes on what it is asked, to a process of another node perhaps. */
class Front extends Process {
  readonly #back: string;

  constructor(back: string) {
    super('front');
    this.#back = back;
  }

  protected override initialize(): void {
    this.open();
    this.delegate(Add, this.runtime.pid(this.#back));
  }
}

describe('a door', () => {
  inWorldsWithDoors((world) => {
    let a: Runtime;
    let counter: Counter;

    async function open(options?: DoorOptions): Promise<void> {
      a = await world.start('a');
      counter = new Counter('counter', undefined, options);
      a.spawn(counter);
      await world.until(() => counter.cell.initialized);
      await world.calm();
    }

    /** `kind body`, or `error CODE text`. */
    async function asked(kind: string | undefined, json: string, door = 'counter'): Promise<string> {
      const headers: Record<string, string> = kind === undefined ? {} : { 'Mezzo-Kind': kind };
      return told(await outcome(world, world.request(door, headers, json)));
    }

    function told({ headers, json }: DoorAnswer): string {
      const code = headers['Mezzo-Error'];
      if (code === undefined) return `${headers['Mezzo-Kind']} ${json}`;
      const { code: same, message: text } = JSON.parse(json) as { code: string; message: string };
      expect(same).to.equal(code);
      return `error ${code} ${text}`;
    }

    describe('asked', () => {
      beforeEach(() => open());

      it('gives JSON to its process as a message, and the answer back with its kind', async () => {
        expect(await asked('add', '{"n":41}')).to.equal('sum {"n":42}');
        expect(a.metrics.wireRejected).to.equal(0);
      });

      it('takes the kind from the JSON where there is no header', async () => {
        expect(await asked(undefined, '{"kind":"add","body":{"n":41}}')).to.equal('sum {"n":42}');
        // With a header, such JSON is a body like any other.
        expect(await asked('echo', '{"kind":"add","body":1}')).to.equal('echoed {"kind":"add","body":1}');
      });

      it('reads the header whatever its case', async () => {
        const answer = await outcome(world, world.request('counter', { 'mezzo-kind': 'add' }, '{"n":1}'));
        expect(told(answer)).to.equal('sum {"n":2}');
      });

      it('takes an empty message for no body', async () => {
        expect(await asked('echo', '')).to.equal('echoed null');
        expect(counter.heard).to.deep.equal([undefined]);
      });

      it('waits for an answer that comes later, and hears the first one only', async () => {
        const letters = deadLetters(a);
        expect(await asked('late', '"x"')).to.equal('echoed "x"');
        expect(await asked('twice', '1')).to.equal('echoed 1');
        await world.until(() => letters.length === 1);
        expect(letters[0]).to.match(/ sum door-/);
      });

      it('answers many at once, each what it asked', async () => {
        const many = [...Array(100).keys()].map((n) => world.request('counter', { 'Mezzo-Kind': 'add' }, `{"n":${n}}`));
        for (const [n, answer] of many.entries()) {
          expect(told(await outcome(world, answer))).to.equal(`sum {"n":${n + 1}}`);
        }
        await world.until(() => a.processes.length === 1, 'whoever stood for the callers is gone');
      });

      it('tells that its process ended over the question, and not why', async () => {
        expect(await asked('fail', '{"n":1}')).to.equal(
          "error PROCESS_ENDED The process at door 'counter' ended before it answered",
        );
      });

      it('tells so of a process that ends without an answer', async () => {
        expect(await asked('quit', '{"n":1}')).to.match(/^error PROCESS_ENDED /);
      });

      it('closes with its process, and can be opened by the next', async () => {
        a.terminate(counter.self);
        await outcome(world, a.wait(counter.self));
        await world.calm();
        expect(await failure(world, world.request('counter', {}, ''))).to.have.property('code', 'PROCESS_NOT_FOUND');
        a.spawn(new Counter('counter'));
        await world.calm();
        expect(await asked('add', '{"n":1}')).to.equal('sum {"n":2}');
      });
    });

    it('passes what is told on without a way to answer', async () => {
      await open();
      world.tell('counter', { 'Mezzo-Kind': 'first' }, '{"n":1}');
      await world.until(() => counter.heard.length === 1);
      expect(counter.heard).to.deep.equal([{ n: 1 }]);
      expect(counter.senders[0]?.id).to.equal('');
      world.tell('counter', { 'Mezzo-Kind': 'first' }, 'no JSON');
      world.tell('counter', {}, '{}');
      await world.until(() => a.metrics.wireRejected === 2);
      expect(await asked('add', '{"n":1}')).to.equal('sum {"n":2}');
    });

    it('keeps the order of what one sender tells', async () => {
      await open();
      for (let n = 0; n < 200; n++) world.tell('counter', { 'Mezzo-Kind': 'first' }, `{"n":${n}}`);
      await world.until(() => counter.heard.length === 200);
      expect(counter.heard).to.deep.equal([...Array(200).keys()].map((n) => ({ n })));
    });

    it('keeps what comes before its process is ready', async () => {
      let ready = (): void => {};
      // What it takes is not known before it is ready.
      class Slow extends Adder {
        protected override initialize(): Promise<void> {
          this.open();
          return new Promise<void>((resolve) => (ready = resolve)).then(() => super.initialize());
        }
      }
      a = await world.start('a');
      a.spawn(new Slow('counter'));
      await world.calm();
      const question = world.request('counter', { 'Mezzo-Kind': 'add' }, '{"n":1}');
      const nonsense = world.request('counter', { 'Mezzo-Kind': 'nonsense' }, '{"n":1}');
      await world.calm();
      expect(question.isPending).to.equal(true);
      ready();
      expect(told(await outcome(world, question))).to.equal('sum {"n":2}');
      expect(told(await outcome(world, nonsense))).to.match(/^error MESSAGE_UNKNOWN/);
      const late = new Slow('late');
      a.spawn(late);
      await world.calm();
      const lost = world.request('late', { 'Mezzo-Kind': 'add' }, '{"n":1}');
      await world.calm();
      a.terminate(late.self);
      expect(told(await outcome(world, lost))).to.match(/^error PROCESS_ENDED/);
    });

    it('passes on the answer of a process at another node that its own asked instead', async () => {
      a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      a.spawn(new Front('adder@b'));
      await world.calm();
      expect(await asked('add', '{"n":1}', 'front')).to.equal('sum {"n":2}');
    });

    it('of two nodes is answered by one of them at a time', async () => {
      const nodes = [await world.start('a'), await world.start('b')];
      const counters = nodes.map(() => new Counter('counter'));
      for (const [index, node] of nodes.entries()) node.spawn(counters[index] ?? new Counter('none'));
      await world.calm();
      for (let n = 0; n < 30; n++) expect(await asked('echo', `${n}`)).to.equal(`echoed ${n}`);
      const heard = counters.map((one) => one.heard);
      expect(heard.flat().toSorted((x, y) => Number(x) - Number(y))).to.deep.equal([...Array(30).keys()]);
      expect(heard.every((some) => some.length > 0)).to.equal(true);
      await world.stop(nodes[0] ?? a);
      for (let n = 0; n < 5; n++) expect(await asked('echo', `${n}`)).to.equal(`echoed ${n}`);
    });

    it('has a name of one word, which one process of a node has', async () => {
      a = await world.start('a');
      const pid = a.spawn(new Adder('adder (1)'));
      for (const name of ['', 'a.b', '*', '>', 'a b', 'ä', 'x'.repeat(129), undefined]) {
        expect(() => a.open(pid, name), name)
          .to.throw()
          .with.property('code', 'DOOR_NAME_INVALID');
      }
      const door = a.open(pid, 'adder');
      expect(() => a.open(a.spawn(new Adder('other')), 'adder'))
        .to.throw("'adder (1)'")
        .with.property('code', 'DOOR_NAME_TAKEN');
      await world.calm();
      expect(await asked('add', '{"n":1}', 'adder')).to.equal('sum {"n":2}');
      door.cancel();
      door.cancel();
      a.open(pid, 'adder').cancel();
      a.terminate(pid);
      await outcome(world, a.wait(pid));
      expect(() => a.open(pid, 'adder'))
        .to.throw()
        .with.property('code', 'PROCESS_NOT_FOUND');
    });

    it('leaves no node the word under which doors are', async () => {
      let refused: unknown;
      try {
        await world.start('name');
      } catch (error) {
        refused = error;
      }
      expect(refused).to.have.property('code', 'NODE_NAME_INVALID');
    });

    it('tells whoever waits when its node stops', async () => {
      await open();
      const stuck = world.request('counter', { 'Mezzo-Kind': 'stuck' }, '{"n":1}', '30s');
      await world.until(() => a.processes.length === 2);
      await world.stop(a);
      expect(told(await outcome(world, stuck))).to.match(/^error (OUTCOME_UNKNOWN|PROCESS_ENDED) /);
    });

    it('tells when its process takes too long', async () => {
      await open({ timeout: '50ms' });
      expect(await asked('stuck', '{"n":1}')).to.equal(
        "error ASK_TIMEOUT Door 'counter' did not answer 'stuck' within 50 ms",
      );
      await world.until(() => a.processes.length === 1);
    });

    it('refuses further callers while as many wait as may, or the mailbox is full', async () => {
      await open({ maxWaiting: 2 });
      for (let n = 0; n < 5; n++) expect(await asked('add', '{"n":1}')).to.equal('sum {"n":2}');
      await world.until(() => a.processes.length === 1, 'whoever was answered waits no longer');
      const waiting = [1, 2].map(() => world.request('counter', { 'Mezzo-Kind': 'stuck' }, '{"n":1}', '30s'));
      await world.until(() => a.processes.length === 3);
      expect(await asked('add', '{"n":1}')).to.match(/^error MAILBOX_FULL 2 wait/);
      for (const one of waiting) one.discard();
      const other = new Counter('other');
      a.spawn(other);
      await world.calm();
      other.bound(0);
      expect(await asked('add', '{"n":1}', 'other')).to.match(/^error MAILBOX_FULL The mailbox/);
      other.bound(10);
      expect(await asked('add', '{"n":1}', 'other')).to.equal('sum {"n":2}');
    });

    describe('answers nonsense with an error, counts it, and its process never sees it:', () => {
      const rejections: unknown[] = [];
      const rejected = (reason: unknown): void => void rejections.push(reason);
      beforeEach(() => {
        process.on('unhandledRejection', rejected);
        return open({ maxBytes: 100_000 });
      });
      afterEach(() => {
        process.off('unhandledRejection', rejected);
        expect(rejections.splice(0)).to.deep.equal([]);
      });

      for (const [what, kind, json, expected] of [
        ['no JSON', 'add', '{"n":', /^error MESSAGE_INVALID The message is no JSON/],
        ['no kind', undefined, '{"n":1}', /^error MESSAGE_INVALID The message names no kind/],
        ['nothing at all', undefined, '', /^error MESSAGE_INVALID The message names no kind/],
        ['a kind that is no text', undefined, '{"kind":7}', /^error MESSAGE_INVALID The message names no kind/],
        ['JSON without a kind', undefined, 'null', /^error MESSAGE_INVALID The message names no kind/],
        ['an unknown kind', 'nonsense', '{}', /^error MESSAGE_UNKNOWN There is no kind 'nonsense' at door 'counter'$/],
        ['a kind of every object', 'constructor', '{}', /^error MESSAGE_UNKNOWN/],
        ['a kind of prototypes', undefined, '{"kind":"__proto__x","body":1}', /^error MESSAGE_UNKNOWN/],
        ['a very long kind', 'k'.repeat(3000), '{}', /^error MESSAGE_UNKNOWN There is no kind 'k{200}…'/],
        ['a kind without a schema', 'local-only', '{"n":1}', /^error MESSAGE_LOCAL_ONLY/],
        ['a body that is not of its kind', 'add', '{"n":"1"}', /^error MESSAGE_INVALID .*not of the expected shape$/],
        ['no body where there must be one', 'add', '', /^error MESSAGE_INVALID/],
        ['a body whose schema throws', 'throwing', '1', /^error MESSAGE_INVALID .*this schema is broken$/],
        ['a body whose schema takes its time', 'asynchronous', '1', /^error MESSAGE_INVALID .*asynchronous$/],
        ['a prototype', 'echo', '{"a":{"__proto__":{"polluted":true}}}', /^error MESSAGE_INVALID .*__proto__/],
        [
          'a prototype in disguise',
          'echo',
          '{"\\u005f_proto__":{"polluted":true}}',
          /^error MESSAGE_INVALID .*__proto__/,
        ],
        [
          'more than it takes',
          'echo',
          `"${'x'.repeat(100_000)}"`,
          /^error MESSAGE_TOO_LARGE .*100002 bytes where 100000/,
        ],
      ] as const) {
        it(what, async () => {
          expect(await asked(kind, json)).to.match(expected);
          expect(a.metrics.wireRejected).to.equal(1);
          expect(a.metrics.errors).to.equal(0);
          expect(counter.heard).to.deep.equal([]);
          expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
          expect(await asked('add', '{"n":1}')).to.equal('sum {"n":2}');
        });
      }

      it('JSON deeper than any stack', async () => {
        const deep = '['.repeat(49_000) + ']'.repeat(49_000);
        // Whether an engine can read it is the engine's business; its node lives either way.
        expect(await asked('echo', deep)).to.match(/^(error MESSAGE_INVALID|echoed) /);
        expect(await asked('add', '{"n":1}')).to.equal('sum {"n":2}');
      });
    });

    it('tells when an answer cannot be written as JSON, or is too large for the network', async () => {
      await open();
      expect(await asked('cyclic', '1')).to.match(/^error MESSAGE_INVALID The answer/);
      expect(a.metrics.errors).to.equal(1);
      // The question fits; its answer, with quotes escaped, does not.
      const quotes = JSON.stringify('"'.repeat(400_000));
      class Escaper extends Counter {
        protected override initialize(): void {
          super.initialize();
          this.install(Echo, (body) => this.reply(Echoed, JSON.stringify(body)));
        }
      }
      a.spawn(new Escaper('escaper'));
      await world.calm();
      expect(await asked('echo', quotes, 'escaper')).to.match(/^error MESSAGE_TOO_LARGE The answer has \d+ bytes/);
      expect(await asked('add', '{"n":1}', 'escaper')).to.equal('sum {"n":2}');
    });

    it('lets nobody in where no one has it open', async () => {
      await open();
      const error = await failure(world, world.request('elsewhere', { 'Mezzo-Kind': 'add' }, '{"n":1}'));
      expect(error).to.have.property('code', 'PROCESS_NOT_FOUND');
    });
  });
});
