import { message, Process, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { Event } from '../src/event.ts';
import { Mailbox } from '../src/mailbox.ts';
import { PID } from '../src/pid.ts';

const sender = new PID('sender', 'node');

describe('Mailbox', () => {
  it('is a FIFO of messages and other events, of which the oldest message can be taken out', () => {
    const step = fc.oneof(
      fc.constant('message' as const),
      fc.constant('event' as const),
      fc.constant('shift' as const),
      fc.constant('drop' as const),
      fc.constant('oldest' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const mailbox = new Mailbox();
        const model: string[] = [];
        let made = 0;
        for (const one of steps) {
          if (one === 'message') {
            mailbox.pushMessage(`m${++made}`, made, sender);
            model.push(`m${made}`);
          } else if (one === 'event') {
            mailbox.push(new Event('dispatch', `d${++made}`, undefined, made));
            model.push(`d${made}`);
          } else if (one === 'shift') {
            expect(mailbox.shift()?.name).to.equal(model.shift());
          } else if (one === 'oldest') {
            const at = model.findIndex((name) => name.startsWith('m'));
            const [expected] = at === -1 ? [] : model.splice(at, 1);
            expect(mailbox.removeOldestMessage()?.name).to.equal(expected);
          } else if (model.length > 0) {
            mailbox.drop();
            model.shift();
          }
          expect([...mailbox].map(({ name }) => name)).to.deep.equal(model);
          expect(mailbox.size).to.equal(model.length);
        }
      }),
    );
  });

  it('shows of a message that comes next its name, body and sender, and of another event itself', () => {
    const mailbox = new Mailbox();
    mailbox.pushMessage('hello', 1, sender);
    const other = new Event('dispatch', '', undefined, undefined);
    mailbox.push(other);
    expect([mailbox.first, mailbox.firstBody, mailbox.firstSender]).to.deep.equal(['hello', 1, sender]);
    mailbox.drop();
    expect(mailbox.first).to.equal(other);
  });
});

const Note = message<number>('note');
const Query = message<number>('query');
const Answer = message<number>('answer');

class Narrow extends Process {
  readonly seen: number[] = [];
  protected override initialize(): void {
    this.boundMailbox(2, { overflow: 'drop-oldest' });
    this.install(Note, (n) => void this.seen.push(n));
    this.install(Query, (n) => void this.reply(Answer, n));
  }
}

describe('a full mailbox that drops the oldest message', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  it('keeps the newest, and tells of the others as dead letters', async () => {
    const narrow = new Narrow('narrow');
    const pid = runtime.spawn(narrow);
    await world.settle();
    const letters: string[] = [];
    runtime.onDeadLetter(({ reason, name }) => letters.push(`${reason} ${name}`));
    const taken = [1, 2, 3, 4].map((n) => runtime.send(pid, Note, n));
    await world.settle();
    expect(taken).to.deep.equal([true, true, true, true]);
    expect(narrow.seen).to.deep.equal([3, 4]);
    expect(letters).to.deep.equal(['overflow note', 'overflow note']);
  });

  it('fails the ask whose question it drops', async () => {
    const pid = runtime.spawn(new Narrow('narrow'));
    await world.settle();
    const asks = [1, 2, 3].map((n) => runtime.ask(pid, Query, n, { reply: Answer }));
    await world.settle();
    expect(asks.map(String)).to.deep.equal([
      "Failed: narrow@node dropped 'query' to make room for newer messages",
      'Ready',
      'Ready',
    ]);
    expect(asks[0]?.failure()).to.have.property('code', 'MAILBOX_FULL');
  });

  it('is no way to lose other events', async () => {
    const narrow = new Narrow('narrow');
    const pid = runtime.spawn(narrow);
    await world.settle();
    const visits = [1, 2, 3].map(() => runtime.dispatch(pid, () => 'visited'));
    expect(runtime.send(pid, Note, 1)).to.equal(false);
    await world.settle();
    expect(visits.map((visit) => visit.get())).to.deep.equal(['visited', 'visited', 'visited']);
    expect(narrow.seen).to.deep.equal([]);
  });

  it('refuses a bound that is no count, and an unknown overflow policy', async () => {
    class Bounded extends Process {
      bind(messages: number, overflow: 'refuse' | 'drop-oldest' = 'refuse'): void {
        this.boundMailbox(messages, { overflow });
      }
    }
    const process = new Bounded('bounded');
    for (const bound of [-1, 1.5, Number.NaN, -Infinity]) {
      expect(() => process.bind(bound))
        .to.throw(`Invalid bound ${bound}`)
        .with.property('code', 'COUNT_INVALID');
    }
    expect(() => process.bind(1, 'drop-newest' as 'refuse'))
      .to.throw("Unknown overflow policy 'drop-newest'")
      .with.property('code', 'COUNT_INVALID');
    for (const bound of [0, 1, Infinity]) process.bind(bound, 'drop-oldest');
  });

  it('refuses to spawn under the id that stands for asks', () => {
    expect(() => runtime.spawn(new Narrow('?')))
      .to.throw("Cannot spawn '?'")
      .with.property('code', 'PID_INVALID');
  });
});
