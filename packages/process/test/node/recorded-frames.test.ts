import {
  type ExitReason,
  type Logger,
  message,
  type PID,
  Process,
  request,
  type Runtime,
  streamRequest,
  type Tracing,
  type Transport,
  type WireSchema,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

import { asEnvelope, kind } from '../../src/node/envelope.ts';
import { decode, encode, type End, pack, protocolVersion, unpack } from '../../src/node/frame.ts';
import { Add, checked, Sum } from '../transport/processes.ts';
import { deadLetters, deaf } from '../transport/worlds.ts';
import { recorded, recordedEnvelopes, recordedFrames } from './recorded-frames.ts';

type Recorded = keyof typeof recordedEnvelopes;

const isNote = (value: unknown): value is { readonly n: number } =>
  typeof value === 'object' && value !== null && 'n' in value && typeof value.n === 'number';
const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isBlob = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

const Note = message('note', checked(isNote));
const Text = message('text', checked(isText));
const Blob = message('blob', checked(isBlob));
const Count = streamRequest('count', checked(isNumber), checked(isNumber));
const Endless = request('add', checked(isNote), checked(isNote));

/** Hears, answers and produces what the recorded peer asks for. */
class Target extends Process {
  readonly heard: unknown[] = [];
  counted = 0;
  stopped = 0;
  readonly #note: WireSchema<{ readonly n: number }>;
  readonly #endless: boolean;

  constructor(note = checked(isNote), endless = false) {
    super('target');
    this.#note = note;
    this.#endless = endless;
  }

  protected override initialize(): void {
    this.install(message('note', this.#note), (body) => void this.heard.push(body));
    this.install(Text, (body) => void this.heard.push(body));
    this.install(Blob, (body) => void this.heard.push([...body]));
    if (this.#endless) {
      this.answer(Endless, (_body, _from, call) => {
        call.signal.addEventListener('abort', () => this.stopped++);
        return new Promise<never>(() => {});
      });
    } else {
      this.install(Add, ({ n }) => void this.reply(Sum, { n: n + 1 }));
    }
    this.produce(Count, (...[, , call]) => {
      call.signal.addEventListener('abort', () => this.stopped++);
      return this.#count();
    });
  }

  tell(to: PID, times: number): void {
    for (let n = 0; n < times; n++) this.send(to, Note, { n });
  }

  *#count(): Generator<number> {
    for (;;) yield ++this.counted;
  }
}

/** Linked to x@b. */
class Linker extends Process {
  readonly heard: string[] = [];

  constructor() {
    super('linker');
  }

  protected override initialize(): void {
    this.link(this.runtime.pid('x@b'));
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    this.heard.push(`${pid.toString()} ${reason.kind} ${'message' in reason ? reason.message : ''}`);
  }
}

/** Node b as of protocol version 1: it says what was recorded, in a session with today's node a. */
class RecordedPeer {
  readonly heard: (readonly unknown[])[] = [];
  readonly #transport: Transport;
  readonly #local: End = { incarnation: recorded.incarnation, epoch: 3 };
  readonly #world: Simulation;
  #remote: End | undefined;
  #sequence = 0;

  constructor(world: Simulation) {
    this.#world = world;
    this.#transport = world.network.transport();
    this.#transport.start('b', this.#local.incarnation, {
      ...deaf,
      frame: (_peer, bytes) => {
        const frame = decode(bytes);
        if (frame?.kind === 'hello') this.#remote = frame.from;
        if (frame?.kind === 'batch') for (const it of frame.envelopes) if (Array.isArray(it)) this.heard.push(it);
      },
    });
  }

  async greet(): Promise<void> {
    this.raw(bytesOf(recordedFrames['a greeting']));
    await this.#world.settle();
    this.batch();
    await this.#world.settle();
  }

  raw(bytes: Uint8Array): void {
    this.#transport.publish('a', bytes);
  }

  async says(...what: Recorded[]): Promise<void> {
    this.batch(...what.map((name) => recordedEnvelopes[name]));
    await this.#world.advance('10ms');
  }

  /** A batch of envelopes in hex. */
  batch(...envelopes: string[]): void {
    const remote = this.#remote;
    if (remote === undefined) throw new Error('greet first');
    const header = [
      2,
      this.#local.incarnation,
      this.#local.epoch,
      remote.incarnation,
      remote.epoch,
      ++this.#sequence,
      0,
    ];
    const here = hexOf(pack(remote.incarnation));
    const own = envelopes.map((hex) => hex.replaceAll(hexOf(pack(recorded.incarnation)), here)).join('');
    const count = Buffer.from([0x90 + envelopes.length]);
    this.raw(Buffer.concat([Buffer.from([0x98]), ...header.map((field) => pack(field)), count, bytesOf(own)]));
  }

  /** The same words about another ask or stream. */
  async saysOf(number: number, ...what: Recorded[]): Promise<void> {
    const theirs = hexOf(pack(recorded.askNumber));
    const ours = `ce${number.toString(16).padStart(8, '0')}`;
    this.batch(...what.map((name) => recordedEnvelopes[name].replaceAll(theirs, ours)));
    await this.#world.advance('10ms');
  }

  /** The number that a's latest ask or stream has. */
  get asked(): number {
    const number = this.heard.findLast((envelope) => envelope[4] === '?')?.[5];
    if (typeof number !== 'number') throw new Error('nothing was asked');
    return number;
  }
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('frames recorded from nodes of protocol version 1', () => {
  const from = { incarnation: recorded.incarnation, epoch: 3 };
  const to = { incarnation: 1_744_000_000_999_999, epoch: 70_000 };
  const notes = (n: number, text: string): unknown => [0, 'target', 0, 0, 'x', 3, 'note', [{ n, text }]];
  const decoded: Record<keyof typeof recordedFrames, unknown> = {
    'a greeting': { kind: 'hello', version: 1, from, to: { incarnation: 0, epoch: 0 }, sent: 0, received: 0 },
    'a greeting that answers': { kind: 'hello', version: 1, from, to, sent: 300, received: 5 },
    'a batch': {
      kind: 'batch',
      from,
      to,
      sequence: 300,
      received: 5,
      envelopes: [notes(1, 'one'), [1, 'linker', 4, 'target', 0, 0], notes(2, 'two')],
    },
    'a batch of nothing': { kind: 'batch', from, to, sequence: 1, received: 0, envelopes: [] },
    'a heartbeat': { kind: 'heartbeat', from, to, sent: 300, received: 5, answer: true, missed: false },
    'a heartbeat that misses something': {
      kind: 'heartbeat',
      from,
      to,
      sent: 300,
      received: 5,
      answer: false,
      missed: true,
    },
    'a farewell': { kind: 'bye', from, to },
  };

  for (const [name, hex] of Object.entries(recordedFrames)) {
    it(`are understood: ${name}`, () => {
      expect(decode(bytesOf(hex))).to.deep.equal(decoded[name as keyof typeof recordedFrames]);
    });
  }

  it('are of every kind that there is in this version', () => {
    expect(protocolVersion).to.equal(1);
    const kinds = Object.values(recordedEnvelopes).map((hex) => asEnvelope(unpack(bytesOf(hex)))?.[0]);
    expect(new Set(kinds)).to.deep.equal(new Set<number>(Object.values(kind)));
  });

  it('are what this node says, byte for byte', () => {
    for (const [name, hex] of Object.entries(recordedFrames)) {
      const frame = decode(bytesOf(hex));
      expect(frame && hexOf(encode(frame)), name).to.equal(hex);
    }
  });
});

describe('what a node of protocol version 1 was recorded to say', () => {
  let world: Simulation;
  let a: Runtime;
  let target: Target;
  let linker: Linker;
  let peer: RecordedPeer;
  let contexts: unknown[];

  /** Notes the contexts that come. */
  const tracing: Tracing = {
    active: () => undefined,
    begin: () => ({ run: (serve) => serve(), end: () => {} }),
    outside: (run) => run(),
    inject: () => ({}),
    extract: (carrier) => {
      contexts.push(carrier);
      return carrier;
    },
  };
  const start = async (note?: WireSchema<{ readonly n: number }>, endless?: boolean): Promise<void> => {
    contexts = [];
    // Words of exits were recorded for a linker of generation 1.
    a = await world.start('a', { tracing, linkTimeout: '1hrs', heartbeatInterval: '10mins' });
    linker = new Linker();
    a.spawn(linker);
    target = new Target(note, endless);
    a.spawn(target);
    peer = new RecordedPeer(world);
    await world.settle();
    await peer.greet();
  };
  beforeEach(() => {
    world = new Simulation();
  });
  afterEach(async () => {
    expect(a.metrics.wireRejected).to.equal(0);
    world.abandon();
  });

  it('as messages is heard', async () => {
    await start();
    await peer.says('a message', 'a message of text', 'three messages in a row', 'bytes of one size');
    await peer.says('bytes of several sizes', 'bytes with a tracing context');
    expect(target.heard).to.deep.equal([
      { n: 1 },
      'grüße 🙂',
      ...[{ n: 1 }, { n: 2 }, { n: 3 }],
      ...[
        [1, 2],
        [3, 4],
      ],
      ...[[1], [], [2, 3]],
      [1, 2],
    ]);
    expect(contexts).to.deep.equal([{ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }]);
  });

  it('as asks is answered, and callers and tracing contexts are known', async () => {
    await start();
    const callers: string[] = [];
    a.inspect((inspected) => {
      if (inspected.kind === 'begins') callers.push(inspected.event.meta?.chain?.toString() ?? '');
    });
    await peer.says('an ask', 'an ask with its callers', 'an ask with its callers and a tracing context');
    const sums = peer.heard.filter(
      ([, to, number, , , , name]) => to === '?' && number === recorded.askNumber && name === 'sum',
    );
    expect(sums.flatMap((envelope) => envelope[7])).to.deep.equal([{ n: 2 }, { n: 2 }, { n: 2 }]);
    expect(callers).to.deep.equal(['', 'first@c -> second@b', '']);
    expect(contexts).to.have.length(1);
  });

  it('as answers and refusals completes asks', async () => {
    await start();
    const answered = a.ask(a.pid('x@b'), Add, { n: 1 }, { reply: Sum, timeout: '1hrs' });
    await world.advance('10ms');
    await peer.saysOf(peer.asked, 'an answer');
    expect(answered.get()).to.deep.equal({ n: 2 });
    const refused = a.ask(a.pid('x@b'), Add, { n: 1 }, { reply: Sum, timeout: '1hrs' });
    await world.advance('10ms');
    await peer.saysOf(peer.asked, 'a refusal');
    expect(refused.failure()).to.have.property('code', 'PROCESS_NOT_FOUND');
  });

  it('as a cancel calls off what is worked on', async () => {
    await start(undefined, true);
    await peer.says('an ask');
    expect(target.stopped).to.equal(0);
    await peer.says('a cancel');
    expect(target.stopped).to.equal(1);
  });

  it('as links and their ends is kept', async () => {
    await start();
    await peer.says('a link');
    a.terminate(a.pid('target'));
    await world.advance('10ms');
    const exit = peer.heard.find((envelope) => envelope[0] === kind.exited);
    expect(exit).to.deep.equal([kind.exited, 'linker', 4, 'target', 0, 2, 'terminated', '']);
  });

  it('as the end of a link is obeyed', async () => {
    await start();
    await peer.says('a link', 'an unlink');
    a.terminate(a.pid('target'));
    await world.advance('10ms');
    expect(peer.heard.filter((envelope) => envelope[0] === kind.exited)).to.deep.equal([]);
  });

  for (const [what, heard] of [
    ['an exit: terminated', 'x@b terminated '],
    ['an exit: crashed', 'x@b crashed out of order'],
    ['an exit: unreachable', "x@b unreachable no process 'x' on node 'b'"],
    ['an exit: lost', "x@b lost node 'b' has stopped"],
  ] as const) {
    it(`as ${what} is told to who is linked`, async () => {
      await start();
      await peer.says(what);
      expect(linker.heard).to.deep.equal([heard]);
    });
  }

  it('as parts of a message is put together', async () => {
    await start();
    await peer.says('the first part of a message');
    expect(target.heard).to.deep.equal([]);
    await peer.says('the last part of a message');
    expect(target.heard).to.deep.equal([{ n: 7 }]);
  });

  it('as messages that came back are dead letters', async () => {
    await start();
    const letters = deadLetters(a);
    target.tell(a.pid('x@b'), 2);
    await world.advance('10ms');
    await peer.says('messages that came back');
    expect(letters).to.deep.equal(['unknown note x@b', 'unknown note x@b']);
  });

  it('as the producer of a stream is read', async () => {
    await start();
    const stream = a.stream(a.pid('x@b'), Count, 3, { timeout: '1hrs' });
    await world.advance('10ms');
    await peer.saysOf(peer.asked, 'a stream that begins', 'an item of a stream', 'the end of a stream');
    const items: number[] = [];
    for await (const item of stream) items.push(item);
    expect(items).to.deep.equal([1]);
  });

  it('as the reader of a stream gets what it allows, until it cancels', async () => {
    await start();
    await peer.says('a request for a stream');
    expect(target.counted).to.equal(16);
    // Credit comes from the end that asked: what was recorded for number 9 is said by that of the request.
    const own = hexOf(pack(recorded.askNumber));
    const writer = `ce${peer.asked.toString(16).padStart(8, '0')}`;
    const fromReader = (what: Recorded): string =>
      recordedEnvelopes[what].replace(own, writer).replace('a13f09', `a13f${own}`);
    peer.batch(fromReader('credit for a stream'));
    await world.advance('10ms');
    expect(target.counted).to.equal(64);
    peer.batch(fromReader('the cancel of a stream'));
    await world.advance('10ms');
    expect(target.stopped).to.equal(1);
  });

  describe('grows:', () => {
    const grown = hexOf(pack([kind.messages, 'target', 0, 0, 'x', 3, 'note', [{ n: 1, colour: 'red' }]]));
    const dropping: WireSchema<{ readonly n: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => (isNote(value) ? { value: { n: value.n } } : { issues: [{ message: 'no note' }] }),
      },
    };

    it('a field that the receiver does not know is kept by a schema that keeps such', async () => {
      await start();
      peer.batch(grown);
      await world.advance('10ms');
      expect(target.heard).to.deep.equal([{ n: 1, colour: 'red' }]);
    });

    it('a field that the receiver does not know is dropped by a schema that drops such', async () => {
      await start(dropping);
      peer.batch(grown);
      await world.advance('10ms');
      expect(target.heard).to.deep.equal([{ n: 1 }]);
    });

    it('a field that was added since has its default', async () => {
      const later: WireSchema<{ readonly n: number; readonly urgent: boolean }> = {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value) =>
            isNote(value)
              ? { value: { n: value.n, urgent: 'urgent' in value && value.urgent === true } }
              : { issues: [{ message: 'no note' }] },
        },
      };
      await start(later);
      await peer.says('a message');
      expect(target.heard).to.deep.equal([{ n: 1, urgent: false }]);
    });

    it('a field at the end of a frame is passed over', () => {
      for (const hex of Object.values(recordedFrames)) {
        const fields = unpack(bytesOf(hex)) as unknown[];
        expect(decode(pack([...fields, { later: true }]))).to.deep.equal(decode(bytesOf(hex)));
      }
    });
  });
});

describe('a node that speaks more than protocol version 1', () => {
  const end: End = { incarnation: recorded.incarnation, epoch: 3 };
  let world: Simulation;
  let a: Runtime;
  let target: Target;
  let peer: RecordedPeer;
  let lines: string[];

  beforeEach(async () => {
    world = new Simulation();
    lines = [];
    const log: Logger = {
      debug() {},
      info() {},
      warn: (fields, text) => void lines.push(`${JSON.stringify(fields)} ${text}`),
      error() {},
    };
    a = await world.start('a', { log });
    target = new Target();
    a.spawn(target);
    peer = new RecordedPeer(world);
  });
  afterEach(() => world.abandon());

  it('in its greeting is refused, with one line of the log and counted', async () => {
    for (let time = 0; time < 3; time++) {
      peer.raw(
        encode({ kind: 'hello', version: 2, from: end, to: { incarnation: 0, epoch: 0 }, sent: 0, received: 0 }),
      );
    }
    await world.settle();
    expect(a.metrics.wireRejected).to.equal(3);
    expect(lines).to.deep.equal([
      '{"peer":"b","rejected":1} dropped a greeting of protocol version 2; this node speaks 1',
    ]);
    expect(peer.heard).to.deep.equal([]);
  });

  it('in an envelope has that counted, and the rest of the batch served', async () => {
    await peer.greet();
    const newer = hexOf(pack([99, 'something', { new: true }]));
    peer.batch(recordedEnvelopes['a message'], newer, recordedEnvelopes['a message of text']);
    await world.settle();
    expect(target.heard).to.deep.equal([{ n: 1 }, 'grüße 🙂']);
    expect(a.metrics.wireRejected).to.equal(1);
  });

  it('in a frame has that counted, and the session goes on', async () => {
    await peer.greet();
    peer.raw(pack([5, end.incarnation, end.epoch, 1, 1, 'something new']));
    await peer.says('a message');
    expect(target.heard).to.deep.equal([{ n: 1 }]);
    expect(a.metrics.wireRejected).to.equal(1);
  });
});
