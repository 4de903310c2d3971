import { after, message, Process, request, Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const Note = message<string>('note');
const Query = request<string, string>('query');

class Stuck extends Process {
  protected override initialize(): void {
    this.install(Note, () => new Promise<void>(() => undefined));
  }
}

class Late extends Process {
  readonly seen: string[] = [];
  protected override initialize(): void {
    this.install(Note, (text) => void this.seen.push(text));
  }
}

describe('Runtime.stop', () => {
  it('drains what is queued, for all processes together no longer than it was told', async () => {
    const lines: string[] = [];
    const warn = (fields: object): void => void lines.push(JSON.stringify(fields));
    const log = { debug() {}, info() {}, warn, error() {} };
    await using world = new Simulation();
    const runtime = await world.start('node', { log });
    const late = new Late('late');
    runtime.send(runtime.spawn(late), Note, 'queued before');
    for (const id of ['a', 'b', 'c']) runtime.send(runtime.spawn(new Stuck(id)), Note, 'hold');
    const began = world.clock.now();
    const stopped = runtime.stop({ drain: '2s' });
    await world.advanceUntil(() => !stopped.isPending, '1mins');
    expect(world.clock.now() - began).to.equal(2000);
    expect(late.seen).to.deep.equal(['queued before']);
    expect(lines.map((line) => (JSON.parse(line) as { process: string }).process)).to.deep.equal([
      'c@node',
      'b@node',
      'a@node',
    ]);
  });

  it('lets nothing fire that was armed on its clock', async () => {
    await using world = new Simulation();
    const runtime = await world.start('node');
    const pid = runtime.spawn(new Late('late'));
    const passed = after('1hrs', runtime.clock);
    let fired = 0;
    runtime.clock.timer(1000, () => fired++);
    runtime.delay(pid, '1s', () => fired++);
    const stopped = runtime.stop();
    await world.advanceUntil(() => !stopped.isPending, '1mins');
    await world.advance('2hrs');
    expect([fired, passed.isPending, world.clock.nextDue()]).to.deep.equal([0, true, undefined]);
  });

  it('leaves the OS process free to end, whatever was armed', async function () {
    this.timeout(20_000);
    const program = fileURLToPath(new URL('./fixtures/stops.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=mezzo:source', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (data) => (output += String(data)));
    const limit = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const [code] = (await once(child, 'exit')) as [number | null];
    clearTimeout(limit);
    expect([output, code]).to.deep.equal(['stopped\n', 0]);
  });
});

describe('an ask that cannot be answered', () => {
  it('fails at once if the process has no handler for it', async () => {
    await using world = new Simulation();
    const runtime = await world.start('node');
    const answer = runtime.ask(runtime.spawn(new Late('late')), Query, 'who');
    await world.settle();
    expect(answer.failure()).to.have.property('code', 'PROCESS_NOT_FOUND');
    expect(String(answer)).to.include("did not take 'query': it has no handler for it");
  });

  it('says that a runtime without a transport reaches no other node', async () => {
    await using runtime = await Runtime.start({ name: 'alone' });
    const Wire = request('wire', anything, anything);
    const answer = runtime.ask(runtime.pid('server@elsewhere'), Wire, 'who');
    expect(answer.failure()).to.have.property('code', 'TRANSPORT_UNAVAILABLE');
  });
});

const anything = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
