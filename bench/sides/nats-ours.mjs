// node nats-ours.mjs receive|send CASE URL SEED_FILE PREFIX: the NATS cases on @mezzo/process, sessions on.
import { message, Process, Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { print } from '../measure.mjs';
import { cases, concurrently, hop, isOrder, rates, volley } from './nats-cases.mjs';

const [role, name, servers, nkeySeedFile, prefix] = process.argv.slice(2);
const { count, make, inflight } = cases[name];

const schema = (accepts) => ({
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: (value) => (accepts(value) ? { value } : { issues: [{ message: 'not what was expected' }] }),
  },
});
const isCount = (value) => Number.isInteger(value);
const Item = message('item', schema(name === 'typed' ? isOrder : (value) => value instanceof Uint8Array));
const Begin = message('begin', schema(isCount));
const Done = message('done', schema(isCount));
const Question = message('question', schema(isCount));
const Answer = message('answer', schema(isCount));

class Sink extends Process {
  received = 0;
  expected = 0;
  initialize() {
    this.install(Begin, (expected) => {
      this.received = 0;
      this.expected = expected;
    });
    this.install(Item, (_body, from) => {
      if (++this.received === this.expected) this.send(from, Done, this.received);
    });
    this.install(Question, (n, from) => void this.send(from, Answer, n + 1));
  }
}

class Source extends Process {
  initialize() {
    this.install(Done, (received) => this.done(received));
  }
  async pump(to, total) {
    const arrived = new Promise((resolve) => (this.done = resolve));
    this.send(to, Begin, total);
    for (let index = 0; index < total; index++) {
      const body = make(index);
      while (!this.send(to, Item, body)) await this.runtime.ready(to);
      if (index % volley === volley - 1) {
        await hop();
        await this.runtime.ready(to);
      }
    }
    const received = await arrived;
    if (received !== total) throw new Error(`${name}: ${received} of ${total} arrived`);
  }
}

const runtime = await Runtime.start({ name: role, transport: nats({ servers, nkeySeedFile, prefix }) });
if (role === 'receive') {
  runtime.spawn(new Sink('sink'));
  process.stdout.write('ready\n');
} else {
  const to = runtime.pid('sink@receive');
  const ask = async () => {
    const answer = await runtime.ask(to, Question, 1, { reply: Answer });
    if (answer !== 2) throw new Error(`${name}: answer ${answer}`);
  };
  const source = new Source();
  runtime.spawn(source);
  print(
    await rates(count, (total) =>
      inflight === undefined ? source.pump(to, total) : concurrently(total, inflight, ask),
    ),
  );
  await runtime.stop();
}
