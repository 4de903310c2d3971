import { expect } from 'chai';
import { message, Process, type PID, type ExitReason, type WireSchema, Runtime, dispatch } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

const any = <T,>(): WireSchema<T> => ({ '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) } });
const Ping = message('ping', any<{ n: number }>());
const Pong = message('pong', any<{ n: number }>());
class Echo extends Process {
  protected override initialize(): void {
    this.install(Ping, ({ n }, from) => void this.send(from, Pong, { n: n + 1 }));
  }
  double(n: number): number { return n * 2; }
}
class Watcher extends Process {
  readonly seen: string[] = [];
  readonly target: PID;
  constructor(target: PID) { super('watcher'); this.target = target; }
  protected override initialize(): void { this.link(this.target); }
  protected override exited(pid: PID, reason: ExitReason): void { this.seen.push(`${pid} ${reason.kind}`); }
}
describe('smoke', () => {
  it('asks across nodes, links, crashes', async () => {
    await using world = new Simulation({ latency: [1, 5] });
    const a = await world.start('a');
    const b = await world.start('b');
    const echo = b.spawn(new Echo('echo'));
    const watcher = new Watcher(a.pid('echo@b'));
    a.spawn(watcher);
    const answer = a.ask(a.pid('echo@b'), Ping, { n: 1 }, { reply: Pong });
    await world.advance('100ms');
    expect(answer.get()).to.deep.equal({ n: 2 });
    b.terminate(echo);
    await world.advance('100ms');
    expect(watcher.seen).to.deep.equal(['echo@b terminated']);
    const none = a.ask(a.pid('echo@b'), Ping, { n: 1 }, { reply: Pong });
    await world.advance('100ms');
    expect(none.toString()).to.match(/^Failed/);
  });
  it('runs for real', async () => {
    await using runtime = await Runtime.start();
    const echo = runtime.spawn(new Echo('echo'));
    expect(await dispatch(echo, (p) => p.double(21))).to.equal(42);
    expect(await runtime.dispatch(echo, 'double', 4)).to.equal(8);
    expect(await runtime.ask(echo, Ping, { n: 1 }, { reply: Pong })).to.deep.equal({ n: 2 });
  });
});
