import { Deferred, dispatch, json, message, type PID, Process, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

const Note = message<string>('note');

class Busy extends Process {
  readonly seen: string[] = [];
  protected override initialize(): void {
    this.install(Note, (text) => void this.seen.push(text));
    this.route('/', () => json('served'));
  }
  protected override exited(pid: PID): void {
    this.seen.push(`exited ${pid.id}`);
  }
  linkTo(pid: PID): void {
    this.link(pid);
  }
  visit(): string {
    this.seen.push('visit');
    return 'visited';
  }
}

describe('events that are dropped', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  for (const how of ['by an injected terminate', 'by the end of the process'] as const) {
    it(`LP-SRC-10 ${how}: a dispatch is abandoned, a request gets 500, messages and exits leave nothing`, async () => {
      const busy = new Busy('busy');
      const pid = runtime.spawn(busy);
      const other = runtime.spawn(new Busy('other'));
      await dispatch(pid, (process) => process.linkTo(other));
      const gate = new Deferred<void>();
      void dispatch(pid, async () => gate.future);
      await world.settle();
      if (how === 'by the end of the process') runtime.terminate(pid, { inject: false });
      runtime.send(pid, Note, 'too late');
      const visit = dispatch(pid, (process) => process.visit());
      const page = runtime.http({ path: '/busy' });
      runtime.terminate(other);
      await world.settle();
      const waiting = [...(runtime.cell('busy')?.events() ?? [])].map(({ kind }) => kind);
      expect(waiting.slice(-4)).to.deep.equal(['message', 'dispatch', 'dispatch', 'exited']);
      if (how === 'by an injected terminate') runtime.terminate(pid);
      else gate.set();
      await world.settle();
      expect([visit.isPending, visit.isAbandoned]).to.deep.equal([true, true]);
      expect(page.get().status).to.equal(500);
      expect(busy.seen).to.deep.equal([]);
      expect(runtime.processes).to.deep.equal([]);
    });
  }
});
