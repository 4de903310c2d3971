// node nats-ours.mjs receive|send CASE URL SEED_FILE PREFIX: the NATS cases on @mezzo/process, sessions on.
import { message, Process, Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { nanoseconds, print, quantile } from '../measure.mjs';
import {
  cases,
  concurrently,
  hop,
  isOrder,
  microseconds,
  paced,
  printRate,
  printRoundTrip,
  ready,
  volley,
} from './nats-cases.mjs';

const [role, name, servers, nkeySeedFile, prefix] = process.argv.slice(2);
const { count, make, inflight } = cases[name];

const schema = (accepts) => ({
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: (value) => (accepts(value) ? { value } : { issues: [{ message: 'not what was expected' }] }),
  },
});
const isNumber = (value) => typeof value === 'number';
const Item = message('item', schema(name === 'typed' ? isOrder : (value) => value instanceof Uint8Array));
const Begin = message('begin', schema(isNumber));
const Done = message('done', schema(isNumber));
const Stamp = message('stamp', schema(isNumber));
const Delay = message('delay', schema(isNumber));
const Question = message('question', schema(isNumber));
const Answer = message('answer', schema(isNumber));
const Ping = message('ping');

class Sink extends Process {
  received = 0;
  expected = 0;
  delays = [];
  initialize() {
    this.install(Begin, (expected) => {
      this.received = 0;
      this.expected = expected;
    });
    this.install(Item, (_body, from) => {
      if (++this.received === this.expected) this.send(from, Done, this.received);
    });
    this.install(Stamp, (sent, from) => {
      this.delays.push((nanoseconds() - sent) / 1000);
      if (this.delays.length < this.expected) return;
      this.send(from, Delay, quantile(this.delays, 0.99));
      this.send(from, Done, this.delays.length);
    });
    this.install(Question, (n, from) => void this.send(from, Answer, n + 1));
  }
}

class Source extends Process {
  initialize() {
    this.install(Done, (received) => this.done(received));
    this.install(Delay, (delay) => {
      this.delay99 = delay;
    });
  }
  async pump(to, total) {
    await this.complete(to, total, async () => {
      for (let index = 0; index < total; index++) {
        const body = make(index);
        while (!this.send(to, Item, body)) await this.runtime.ready(to);
        if (index % volley === volley - 1) {
          await hop();
          await this.runtime.ready(to);
        }
      }
    });
  }
  async stamp(to, total) {
    await this.complete(to, total, () => paced(total, () => this.send(to, Stamp, nanoseconds())));
    return this.delay99;
  }
  async complete(to, total, send) {
    const arrived = new Promise((resolve) => (this.done = resolve));
    this.send(to, Begin, total);
    await send();
    const received = await arrived;
    if (received !== total) throw new Error(`${name}: ${received} of ${total} arrived`);
  }
}

/** Two of these never come to rest: the node is busy with its own. */
class Busy extends Process {
  initialize() {
    this.install(Ping, (_body, from) => void this.send(from, Ping));
  }
}

const runtime = await Runtime.start({ name: role, transport: nats({ servers, nkeySeedFile, prefix }) });
if (role === 'receive' && name === 'oneway.loaded') {
  const first = new Busy();
  runtime.spawn(first);
  const second = runtime.spawn(new Busy());
  runtime.dispatch(first.self, (busy) => void busy.send(second, Ping));
}
if (role === 'receive') {
  runtime.spawn(new Sink('sink'));
  ready();
} else {
  const to = runtime.pid('sink@receive');
  const ask = async () => {
    const answer = await runtime.ask(to, Question, 1, { reply: Answer });
    if (answer !== 2) throw new Error(`${name}: answer ${answer}`);
  };
  const source = new Source();
  runtime.spawn(source);
  if (name === 'oneway.loaded') {
    const before = process.cpuUsage();
    const value = await source.stamp(to, count);
    print({ value, cpu: microseconds(before), operations: count });
  } else if (inflight === 1) {
    await printRoundTrip(count, ask);
  } else {
    await printRate(count, (total) =>
      inflight === undefined ? source.pump(to, total) : concurrently(total, inflight, ask),
    );
  }
  await runtime.stop();
}
