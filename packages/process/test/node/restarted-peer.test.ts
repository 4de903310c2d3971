import { expect } from 'chai';
import { type ExitReason, message, type PID, Process } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

const Note = message('note', {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as { n: number } }) },
});

class Reader extends Process {
  readonly read: number[] = [];
  readonly exits: string[] = [];

  constructor() {
    super('reader');
    this.install(Note, ({ n }) => void this.read.push(n));
  }

  say(to: PID, n: number): boolean {
    return this.send(to, Note, { n });
  }

  end(): void {
    this.terminate();
  }

  follow(to: PID): void {
    this.link(to);
  }

  protected override exited(_pid: PID, reason: ExitReason): void {
    this.exits.push(reason.kind);
  }
}

describe('a peer that was started again while nothing was said to it', () => {
  const meet = async () => {
    const world = new Simulation({ latency: [1, 2] });
    const here = new Reader();
    (await world.start('here')).spawn(here);
    const first = new Reader();
    (await world.start('there')).spawn(first);
    here.say(first.self, 1);
    await world.advance('1mins');
    world.crash('there');
    await world.advance('1s');
    const second = new Reader();
    const runtime = await world.start('there');
    runtime.spawn(second);
    return { world, here, first, second };
  };

  it('is reached by whoever names its new address, after a message that is lost', async () => {
    const { world, here, first, second } = await meet();
    await using _ = world;
    expect(first.read).to.deep.equal([1]);
    here.say(second.self, 2);
    await world.advance('10s');
    here.say(second.self, 3);
    await world.advance('1s');
    expect(second.read).to.deep.equal([3]);
  });

  it('is linked by its new address, the second time at the latest', async () => {
    const { world, here, second } = await meet();
    await using _ = world;
    here.follow(second.self);
    await world.advance('10s');
    expect(here.exits).to.deep.equal(['unreachable']);
    here.follow(second.self);
    await world.advance('10s');
    expect(here.exits).to.deep.equal(['unreachable']);
    second.end();
    await world.advance('1s');
    expect(here.exits).to.deep.equal(['unreachable', 'terminated']);
  });
});
