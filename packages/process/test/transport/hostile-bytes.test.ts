import v8 from 'node:v8';
import vm from 'node:vm';

import {
  type DeadLetter,
  type DoorAnswer,
  type Future,
  message,
  type PID,
  Process,
  request,
  type Runtime,
  type Transport,
} from '@mezzo/process';
import { SeededRandom, Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

import { Assembly } from '../../src/node/assembly.ts';
import { asEnvelope, type Envelope, hasMessages, kind } from '../../src/node/envelope.ts';
import { decode, encode, type End, type Frame, pack, protocolVersion, sameEnd, unpack } from '../../src/node/frame.ts';
import { recordedEnvelopes, recordedFrames } from '../node/recorded-frames.ts';
import { Numbers } from '../stream/streams.ts';
import { HostileValues } from './hostile-values.ts';
import { Intruder } from './intruder.ts';
import { Add, Adder, checked, Sum } from './processes.ts';
import { deaf, inEveryWorld, outcome, type World } from './worlds.ts';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

const isAnything = (_value: unknown): _value is unknown => true;
const isFlat = (value: unknown): value is unknown => {
  const deeper = (part: unknown): boolean =>
    typeof part !== 'object' || part === null || Object.values(part).every((below) => deeper(below));
  return deeper(value);
};
const Anything = message('note', checked(isAnything));
const Flat = message('text', checked(isFlat));
const Blob = message('blob', checked(isAnything));
const Passed = message('passed', checked(isAnything));
const Question = request('question', checked(isAnything), checked(isAnything));

/** What the processes of the attacked node were given by the intruder, and every prototype that came with it. */
class Harvest {
  handled = 0;
  readonly prototypes = new Set<unknown>();
  readonly #seen = new WeakSet();

  take(body: unknown, from: PID): void {
    if (from.node !== 'intruder') return;
    this.handled++;
    const left = [body];
    while (left.length > 0) {
      const value = left.pop();
      if (typeof value !== 'object' || value === null || this.#seen.has(value)) continue;
      this.#seen.add(value);
      this.prototypes.add(Object.getPrototypeOf(value));
      if (Object.hasOwn(value, '__proto__')) throw new Error('a key __proto__ came through');
      if (ArrayBuffer.isView(value)) continue;
      for (const key of Reflect.ownKeys(value)) left.push(Reflect.get(value, key));
      if (value instanceof Map || value instanceof Set) for (const part of value) left.push(part);
    }
  }
}

/** Takes every kind that was recorded, whatever the body. */
class Target extends Process {
  protected readonly harvest: Harvest;

  constructor(id: string, harvest: Harvest) {
    super(id);
    this.harvest = harvest;
  }

  protected override initialize(): void | Promise<void> {
    for (const kind of [Anything, Flat, Blob]) this.install(kind, (body, from) => this.harvest.take(body, from));
    this.install(Add, (body, from) => {
      this.harvest.take(body, from);
      this.reply(Sum, { n: body.n + 1 });
    });
    this.answer(Question, (body, from) => {
      this.harvest.take(body, from);
      // What came goes back.
      return body;
    });
    this.produce(Numbers, (first, from) => {
      this.harvest.take(first, from);
      return endless(first);
    });
    this.delegate(Passed, this.runtime.pid('sink'));
  }
}

function* endless(first: number): Generator<number> {
  for (let n = first; ; n++) yield n;
}

class Sink extends Target {
  protected override initialize(): void {
    this.install(Passed, (body, from) => this.harvest.take(body, from));
  }
}

/** Holds its mailbox for a while, and has room for few. */
class Holding extends Target {
  protected override initialize(): void {
    this.boundMailbox(3);
    this.install(Anything, async (body, from) => {
      this.harvest.take(body, from);
      await new Promise<void>((resolve) => void this.clock.timer(1, resolve));
    });
  }
}

class LateStarter extends Target {
  protected override async initialize(): Promise<void> {
    await new Promise<void>((resolve) => void this.clock.timer(1, resolve));
    await super.initialize();
  }
}

class Frail extends Target {
  protected override initialize(): void {
    this.install(Anything, (body, from) => {
      this.harvest.take(body, from);
      throw new Error('out of order');
    });
  }
}

const targets = [
  'target',
  'target',
  'target',
  'target',
  'holding',
  'late',
  'frail',
  'sink',
  'nobody',
  'source',
  '?',
  '',
];
const kinds = ['note', 'text', 'blob', 'add', 'passed', 'question', 'numbers', 'unknown', '__proto__', 'constructor'];

/** Says to node `a` what no honest node would, and keeps account of what should have become of it. */
class Attacker {
  readonly values: HostileValues;
  /** Frames and envelopes that must have been rejected, and frames that must have counted as stray. */
  rejected = 0;
  stray = 0;
  /** Messages in envelopes that are in order. */
  messages = 0;
  /** Of those, what was said by one end of a stream to another that is none: it is answered by a refusal. */
  refused = 0;
  /** Words of returned messages: whether they are believed depends on what node `a` has sent. */
  returned = 0;
  /** Of those, such of no message. */
  empty = 0;
  sent = 0;
  readonly #transport: Transport;
  #local: End = { incarnation: 7, epoch: 0 };
  #remote: End | undefined;
  #sequence = 0;
  #heard = 0;
  #assembly = new Assembly();

  constructor(transport: Transport, seed: string) {
    this.#transport = transport;
    this.values = new HostileValues(new SeededRandom(seed));
  }

  async start(): Promise<void> {
    await this.#transport.start('intruder', 7, { ...deaf, frame: (_peer, bytes) => this.#hear(decode(bytes)) });
  }

  /** Begins a new session; what node a keeps for the last one is gone. */
  async join(world: World): Promise<void> {
    this.#local = { incarnation: 7, epoch: this.#local.epoch + 1 };
    this.#remote = undefined;
    this.#sequence = this.#heard = 0;
    this.#assembly = new Assembly();
    const to = { incarnation: 0, epoch: 0 };
    // Until node a has given up on a session with an end that was never ours.
    let looks = 0;
    const greeting = encode({ kind: 'hello', version: protocolVersion, from: this.#local, to, sent: 0, received: 0 });
    await world.until(() => {
      if (looks++ % 20 === 0) this.#publish(greeting);
      return this.#remote !== undefined;
    }, 'node a greets back');
    // Its first frame opens the session.
    this.#publish(this.#batch());
    this.#sequence++;
  }

  /** Most of them pass for batches of the session, so that they get far. */
  attack(): void {
    for (;;) {
      const bytes = this.#draw();
      if (this.#account(bytes)) return this.#publish(bytes);
    }
  }

  /** Anything, also greetings and farewells; no account can be kept of it. */
  attackSession(): void {
    const known = Buffer.from(this.values.one(Object.values(recordedFrames)), 'hex');
    this.#publish(this.values.draw(3) === 0 ? this.#mutated(known) : this.#present(known));
  }

  #draw(): Buffer {
    switch (this.values.draw(10)) {
      case 0:
        return this.values.bytes(this.values.draw(400));
      case 1:
        return this.#mutated(Buffer.from(this.values.one(Object.values(recordedFrames)), 'hex'));
      case 2:
      case 3:
        return this.#batch(this.#envelope(this.#mutated(this.#recorded())));
      case 4:
        return this.#mutated(this.#batch(this.#recorded()));
      case 5:
        return this.#batch(this.#refitted());
      case 6:
        return this.#batch(this.values.value(), this.#recorded());
      default:
        return this.#batch(...Array.from({ length: 1 + this.values.draw(3) }, () => this.#message()));
    }
  }

  #recorded(): Buffer {
    return Buffer.from(this.values.one(Object.values(recordedEnvelopes)), 'hex');
  }

  /** A recorded envelope with one field of another kind. */
  #refitted(): Buffer {
    const fields = unpack(this.#recorded());
    if (!Array.isArray(fields)) throw new Error('no envelope was recorded');
    const at = this.values.draw(fields.length + 1);
    const parts = fields.map((field, index) => (index === at ? this.values.value() : Buffer.from(pack(field))));
    if (at === fields.length) parts.push(this.values.value());
    return Buffer.concat([Buffer.from([0x90 + parts.length]), ...parts]);
  }

  /** In order but for its bodies. */
  #message(): Buffer {
    const { values } = this;
    const bodies = Array.from({ length: 1 + values.draw(3) }, () => {
      for (;;) {
        const value = values.value();
        if (values.draw(20) === 0 || isSound(value)) return value;
      }
    });
    const head = [0, values.one(targets), 0, 0, values.one(['x', '?']), 1, values.one(kinds)];
    const parts = head.map((field) => pack(field));
    return Buffer.concat([Buffer.from([0x98]), ...parts, Buffer.from([0x90 + bodies.length]), ...bodies]);
  }

  #envelope(bytes: Buffer): Buffer {
    return bytes.length > 0 ? bytes : Buffer.from([0xc0]);
  }

  #mutated(bytes: Buffer): Buffer {
    const { values } = this;
    let mutated = Buffer.from(bytes);
    for (let changes = 1 + values.draw(3); changes > 0; changes--) {
      const at = values.draw(mutated.length);
      const [before, after] = [mutated.subarray(0, at), mutated.subarray(at)];
      switch (values.draw(6)) {
        case 0:
          mutated = Buffer.concat([before, values.value(), after]);
          break;
        case 1:
          mutated = Buffer.concat([before, after.subarray(1 + values.draw(4))]);
          break;
        case 2:
          mutated = Buffer.from(before);
          break;
        case 3:
          mutated = Buffer.concat([before, this.#recorded().subarray(values.draw(20)), after]);
          break;
        default:
          if (mutated.length > 0)
            mutated[at] = values.draw(2) === 0 ? values.draw(256) : (mutated[at] ?? 0) ^ (1 << values.draw(8));
      }
    }
    return mutated;
  }

  /** The next batch of the session, of envelopes as they are. */
  #batch(...envelopes: Buffer[]): Buffer {
    const remote = this.#remote ?? { incarnation: 0, epoch: 0 };
    const header = [
      2,
      this.#local.incarnation,
      this.#local.epoch,
      remote.incarnation,
      remote.epoch,
      this.#sequence + 1,
      this.#heard,
    ].map((field) => pack(field));
    return Buffer.concat([Buffer.from([0x98]), ...header, Buffer.from([0x90 + envelopes.length]), ...envelopes]);
  }

  /** A recorded frame that names the present ends, or once in a while a later one of ours. */
  #present(bytes: Buffer): Uint8Array {
    const frame = decode(bytes);
    if (frame === undefined) throw new Error('no frame was recorded');
    if (this.values.draw(4) === 0) this.#local = { ...this.#local, epoch: this.#local.epoch + 1 };
    return encode({ ...frame, from: this.#local, to: this.#remote ?? frame.to });
  }

  #publish(bytes: Uint8Array): void {
    this.sent++;
    this.#transport.publish('a', bytes);
  }

  #hear(frame: Frame | undefined): void {
    if (frame === undefined || !sameEnd(frame.to, this.#local)) return;
    if (frame.kind === 'hello') this.#remote = frame.from;
    else if (frame.kind === 'batch') this.#heard = frame.sequence;
  }

  /** False for what would begin or end a session. */
  #account(bytes: Uint8Array): boolean {
    const frame = decoded(bytes);
    if (frame?.kind === 'hello' && frame.version === protocolVersion) return false;
    if (frame === undefined || frame.kind === 'hello') this.rejected++;
    else if (this.#remote === undefined || !sameEnd(frame.from, this.#local) || !sameEnd(frame.to, this.#remote))
      this.stray++;
    else if (frame.kind === 'bye') return false;
    else if (frame.kind === 'batch') this.#accountBatch(frame);
    return true;
  }

  #accountBatch({ sequence, envelopes }: Frame & { readonly kind: 'batch' }): void {
    if (sequence !== this.#sequence + 1) {
      this.stray++;
      return;
    }
    this.#sequence = sequence;
    for (const value of envelopes) {
      const envelope = asEnvelope(value);
      const whole = envelope?.[0] === kind.chunk ? this.#assembly.take(envelope, 64 * 1024 * 1024) : envelope;
      if (whole !== undefined && typeof whole !== 'string') this.#accountEnvelope(whole);
      else if (whole !== undefined || envelope === undefined) this.rejected++;
    }
  }

  #accountEnvelope(envelope: Envelope): void {
    if (hasMessages(envelope)) {
      this.messages += envelope[7].length;
      if (envelope[1] === '?' && envelope[4] === '?') this.refused += envelope[7].length;
    } else if (envelope[0] === kind.returned) {
      if (!(envelope[8] >= 0)) this.rejected++;
      else {
        this.returned++;
        if (envelope[8] === 0) this.empty++;
      }
    }
  }
}

function isSound(value: Uint8Array): boolean {
  try {
    unpack(value);
    return true;
  } catch {
    return false;
  }
}

function decoded(bytes: Uint8Array): Frame | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

/** The attacked node, and what it did with what the intruder said. */
class Victim {
  readonly runtime: Runtime;
  readonly harvest = new Harvest();
  /** Letters from the intruder. */
  #letters = 0;
  /** Of those, the ones that were rejected as well. */
  #unhandled = 0;
  /** Words of the intruder about messages that came back. */
  readonly #returned = new Set<DeadLetter>();

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    runtime.onDeadLetter((letter) => this.#hear(letter));
    runtime.open(runtime.spawn(new Target('target', this.harvest)));
    runtime.spawn(new Sink('sink', this.harvest));
    runtime.spawn(new Holding('holding', this.harvest));
    this.tend();
  }

  /** Spawns anew who does not live for long. */
  tend(): void {
    const { runtime, harvest } = this;
    if (runtime.cell('frail') === undefined) runtime.spawn(new Frail('frail', harvest));
    const late = runtime.cell('late');
    if (late === undefined) runtime.spawn(new LateStarter('late', harvest));
    else runtime.terminate(late.pid);
  }

  /** What the intruder said and nobody can tell what became of. */
  unaccounted(attacker: Attacker): { readonly frames: number; readonly messages: number } {
    const { wireRejected, wireStray } = this.runtime.metrics;
    const doubted = attacker.returned - attacker.empty - this.#returned.size;
    const invalid = wireRejected - attacker.rejected - doubted - this.#unhandled;
    return {
      frames: attacker.stray - wireStray,
      messages: attacker.messages - attacker.refused - this.harvest.handled - this.#letters - invalid,
    };
  }

  #hear(letter: DeadLetter): void {
    const { reason, from, to, name } = letter;
    if (to.node === 'intruder') {
      // Those that it says came back; others are of what could not be sent.
      if (reason === 'unknown' || reason === 'stale') this.#returned.add(letter);
    } else if (from?.node === 'intruder') {
      this.#letters++;
      if (reason === 'unhandled' && !(name === 'numbers' && /^(target|late)$/.test(to.id))) this.#unhandled++;
    }
  }
}

/** Own keys of everything that a wire could poison. */
function intrinsics(): unknown[] {
  return [Object, Array, Function, String, Number, Boolean, Map, Set, Date, RegExp, Error, Promise, Uint8Array, Symbol]
    .flatMap((it) => [it, it.prototype as object])
    .map((it) => Reflect.ownKeys(it));
}

const harmless = new Set<unknown>(
  [Object, Array, Map, Set, Date, RegExp, String, Number, Boolean, BigInt, Buffer, ArrayBuffer, DataView].map(
    (it) => it.prototype,
  ),
);

function isHarmless(prototype: unknown): boolean {
  if (harmless.has(prototype)) return true;
  const name = typeof prototype === 'object' && prototype !== null ? prototype.constructor.name : '';
  // The codec's own for a byte in no use.
  return /^([A-Za-z]*Error|[A-Z][A-Za-z0-9]*Array|C1Type)$/.test(name);
}

function heap(): number {
  for (let pass = 0; pass < 4; pass++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A peer that does nothing but its work, with what is under way at any time between it and the attacked node. */
class Honest {
  readonly #runtime: Runtime;
  readonly #world: World;
  readonly #stream;
  readonly #watched;
  readonly #knock: (() => Future<DoorAnswer>) | undefined;
  #read = 0;

  constructor(runtime: Runtime, world: World, knock: (() => Future<DoorAnswer>) | undefined) {
    this.#knock = knock;
    this.#runtime = runtime;
    this.#world = world;
    this.#stream = runtime.stream(runtime.pid('target@a'), Numbers, 0);
    this.#watched = runtime.watch(runtime.pid('target@a'));
  }

  /** An answer, further items of one stream, a link that holds, and an answer at a door. */
  async works(): Promise<void> {
    const sum = this.#runtime.ask(this.#runtime.pid('target@a'), Add, { n: 1 }, { reply: Sum });
    expect(await outcome(this.#world, sum)).to.deep.equal({ n: 2 });
    for (let items = 0; items < 20; items++) {
      let item: IteratorResult<number, undefined> | undefined;
      void this.#stream.next().then((next) => (item = next));
      await this.#world.until(() => item !== undefined, 'an item of the stream');
      expect(item).to.deep.equal({ done: false, value: this.#read++ });
    }
    expect(this.#watched.isPending).to.equal(true);
    if (this.#knock === undefined) return;
    expect(await outcome(this.#world, this.#knock())).to.have.property('json', '{"n":2}');
  }
}

const waveSize = 500;

/** Attacks node `a` of a world while others work with it. */
async function besiege(world: World, seed: string, frames: number, knock?: () => Future<DoorAnswer>): Promise<void> {
  const before = intrinsics();
  const errors: string[] = [];
  const onError = (error: unknown): void => void errors.push(error instanceof Error ? error.message : String(error));
  const victim = new Victim(await world.start('a', { onError }));
  const honest = new Honest(await world.start('b'), world, knock);
  const attacker = new Attacker(world.transport(), seed);
  await attacker.start();
  const wave = async (strike: () => void): Promise<void> => {
    await attacker.join(world);
    const asked = victim.runtime.ask(victim.runtime.pid('x@intruder'), Add, { n: 1 }, { reply: Sum, timeout: '1hrs' });
    for (let n = 0; n < waveSize; n++) {
      if (n % 50 === 0) victim.tend();
      strike();
    }
    await honest.works();
    asked.discard();
  };
  const attack = async (): Promise<void> => {
    await wave(() => attacker.attack());
    const accounted = (): boolean => {
      const { frames: left, messages: open } = victim.unaccounted(attacker);
      return left === 0 && open === 0;
    };
    await world.until(accounted, 'everything is accounted for');
  };
  // What is kept once and for all is kept after the first wave.
  await attack();
  await attacker.join(world);
  const early = heap();
  while (attacker.sent < frames) await attack();
  const { wireRejected, wireStray, deadLetters } = victim.runtime.metrics;
  for (const [what, count] of Object.entries({ wireRejected, wireStray, deadLetters, handled: victim.harvest.handled }))
    expect(count, what).to.be.greaterThan(frames / 200);
  // On top of those: a session that breaks takes with it what could be counted.
  while (attacker.sent < frames * 1.1) await wave(() => attacker.attackSession());
  await attacker.join(world);
  await honest.works();
  expect(heap() - early, 'bytes kept').to.be.lessThan(4_000_000);
  expect(
    errors.filter((error) => !/^out of order$|could not be sent to .*body cannot be encoded/.test(error)),
  ).to.deep.equal([]);
  expect([...victim.harvest.prototypes].filter((prototype) => !isHarmless(prototype))).to.deep.equal([]);
  expect(intrinsics()).to.deep.equal(before);
}

describe('hostile bytes on a mailbox subject', () => {
  const unused: World = {
    start: () => Promise.reject(new Error('not of use here')),
    crash() {},
    transport: () => {
      throw new Error('not of use here');
    },
    async until() {},
    async calm() {},
    async stop() {},
  };

  for (const seed of [1, 2, 3, 4]) {
    it(`crash nothing, are all accounted for, and leave nothing behind: 25,000 batches in process (seed ${seed})`, async () => {
      await using simulation = new Simulation({ seed, latency: [0, 1] });
      const timing = { heartbeatInterval: '100ms', linkTimeout: '1s' } as const;
      await besiege(
        {
          ...unused,
          start: (name, options) => simulation.start(name, { ...timing, ...options }),
          transport: () => simulation.network.transport(),
          async until(condition, what = '') {
            if (!(await simulation.advanceUntil(condition, '20s'))) throw new Error(`did not come about: ${what}`);
          },
        },
        `in process ${seed}`,
        25_000,
        () => simulation.network.request('target', { 'Mezzo-Kind': 'add' }, '{"n":1}'),
      );
    }).timeout(120_000);
  }

  it('of a peer that links without end are refused once it has a million links', async () => {
    await using simulation = new Simulation();
    const a = await simulation.start('a');
    const adder = a.spawn(new Adder('adder'));
    const intruder = new Intruder(simulation.network.transport());
    await intruder.join({
      ...unused,
      until: async (condition) => void (await simulation.advanceUntil(condition, '1s')),
    });
    for (let linked = 0; linked < 1_050_000; linked += 10_000) {
      intruder.batch(...Array.from({ length: 10_000 }, (_, n) => [kind.link, 'x', linked + n + 1, 'adder', 0, 0]));
      await simulation.settle();
    }
    await simulation.advance('10ms');
    const refused = intruder.heard.filter((envelope) => Array.isArray(envelope) && envelope[6] === 'unreachable');
    expect(refused).to.have.length(1_050_000 - 2 ** 20);
    expect(adder.receiver)
      .to.have.property('linkers')
      .with.property('size', 2 ** 20);
  }).timeout(60_000);

  it('of a peer that never takes what is due to it cost it its session before they cost the node its memory', async () => {
    await using simulation = new Simulation();
    const a = await simulation.start('a');
    a.spawn(new Adder('adder'));
    const intruder = new Intruder(simulation.network.transport());
    await intruder.join({
      ...unused,
      until: async (condition) => void (await simulation.advanceUntil(condition, '1s')),
    });
    let lost = 0;
    a.onDeadLetter(({ reason }) => reason === 'session' && lost++);
    let asked = 0;
    for (; lost === 0 && asked < 2_000_000; asked += 10_000) {
      intruder.batch(
        ...Array.from({ length: 10_000 }, (_, n) => [kind.messages, 'adder', 0, 0, '?', n + 1, 'add', [{ n: 1 }]]),
      );
      await simulation.settle();
    }
    expect(asked).to.be.within(1_000_000, 1_200_000);
    expect(lost).to.be.within(1_000_000, asked);
  }).timeout(60_000);

  inEveryWorld((world) => {
    it('crash nothing, are all accounted for, and leave nothing behind: 3,000 batches', async () => {
      await besiege(world, 'every world', 3000);
    }).timeout(60_000);
  });
});
