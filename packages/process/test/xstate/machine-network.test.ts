import { expect } from 'chai';
import { dispatch, message, type PID, Process, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { fromMachine, machineEvents, StateChanged, WatchState } from '@mezzo/process/xstate';
import { Phone, phoneMachine } from './phones.ts';

/** Writes down with the time what the phones tell. */
class Log extends Process {
  readonly lines: string[] = [];
  readonly #phones: readonly PID[];
  constructor(phones: readonly PID[]) {
    super('log');
    this.#phones = phones;
  }
  protected override initialize(): void {
    this.install(StateChanged, ({ value, event }, from) => {
      this.lines.push(`${this.clock.now().toFixed(3)} ${from.id} ${JSON.stringify(value)} by ${event}`);
    });
    for (const phone of this.#phones) this.send(phone, WatchState, { watch: true });
  }
}

function phone(runtime: Runtime, patience: number): PID {
  return runtime.spawn(
    fromMachine(phoneMachine, {
      id: `phone-${runtime.name}`,
      input: { patience },
      events: Phone,
      provide: (process) => {
        let peer: PID | undefined;
        return {
          delays: { reaction: () => 1000 + 4000 * process.runtime.random.next() },
          actions: {
            ring: (_, { number }) => {
              peer = process.runtime.pid(number);
              process.send(peer, Phone, { type: 'RING' });
            },
            rememberCaller: () => {
              peer = process.sender;
            },
            answer: () => peer !== undefined && process.send(peer, Phone, { type: 'ANSWER' }),
            hangUp: () => peer !== undefined && process.send(peer, Phone, { type: 'HANG_UP' }),
          },
        };
      },
    }),
  );
}

/** An hour of two phones on two nodes that call each other. */
async function history(seed: number): Promise<string> {
  await using world = new Simulation({ seed, latency: [1, 50] });
  const [ann, bob] = [await world.start('ann'), await world.start('bob')];
  const phones = [phone(ann, 20_000), phone(bob, 30_000)];
  const log = ann.spawn(new Log(phones));
  for (let minute = 0; minute < 60; minute++) {
    ann.send(ann.pid('phone-ann'), Phone, { type: 'DIAL', number: 'phone-bob@bob' });
    if (minute % 7 === 0) bob.send(bob.pid('phone-bob'), Phone, { type: 'DIAL', number: 'phone-ann@ann' });
    if (minute === 30) world.network.partition('ann', 'bob');
    if (minute === 32) world.network.heal('ann', 'bob');
    await world.advance('1mins');
  }
  const lines = await dispatch(log, (self) => self.lines);
  return lines.join('\n');
}

describe('machines on two nodes', () => {
  it('talk to each other by messages', async () => {
    await using world = new Simulation({ latency: [1, 5] });
    const [ann, bob] = [await world.start('ann'), await world.start('bob')];
    phone(ann, 10_000);
    phone(bob, 20_000);
    const value = async (runtime: Runtime): Promise<unknown> => {
      const answer = runtime.ask(runtime.pid(`phone-${runtime.name}`), WatchState, { watch: false });
      await world.settle();
      return answer.get().value;
    };
    ann.send(ann.pid('phone-ann'), Phone, { type: 'DIAL', number: 'phone-bob@bob' });
    await world.advance('100ms');
    expect([await value(ann), await value(bob)]).to.deep.equal(['calling', 'ringing']);
    await world.advance('6s');
    expect([await value(ann), await value(bob)]).to.deep.equal(['talking', 'talking']);
    await world.advance('11s');
    expect([await value(ann), await value(bob)]).to.deep.equal(['idle', 'idle']);
  });

  it('same seed, same history; another seed, another one', async () => {
    const [first, again, other] = [await history(7), await history(7), await history(8)];
    expect(first.split('\n')).to.have.length.above(150);
    expect(first).to.include('phone-bob "talking"').and.include('phone-ann "calling"');
    expect(again).to.equal(first);
    expect(other).to.not.equal(first);
  });

  it('an event that the schema does not know stays outside, and so does one of a kind without a schema', async () => {
    await using world = new Simulation();
    const [ann, bob] = [await world.start('ann'), await world.start('bob')];
    phone(bob, 1000);
    const accepting = {
      '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
    } as const;
    const letters: string[] = [];
    ann.onDeadLetter(({ reason }) => letters.push(reason));
    const bobs = ann.pid('phone-bob@bob');
    const state = async (): Promise<unknown> => {
      const answer = ann.ask(bobs, WatchState, { watch: false });
      await world.advance('1s');
      return answer.get().event;
    };
    for (const type of ['EXPLODE', 'xstate.stop', 'xstate.after.1000.phone.ringing']) {
      ann.send(bobs, message('phone', accepting), { type });
    }
    ann.send(bobs, machineEvents<typeof phoneMachine>('phone'), { type: 'RING' });
    expect(await state()).to.equal('xstate.init');
    expect(letters).to.deep.equal(['local-only']);
    ann.send(bobs, Phone, { type: 'RING' });
    expect(await state()).to.equal('RING');
  });
});
