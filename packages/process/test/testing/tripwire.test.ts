import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { dispatch, Process, ProcessError, Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

class Offender extends Process {}

const outside: Readonly<Record<string, () => unknown>> = {
  'Date.now()': () => Date.now(),
  'new Date()': () => new Date(),
  'Math.random()': () => Math.random(),
  'performance.now()': () => performance.now(),
  'setTimeout()': () => setTimeout(() => {}, 1),
  'setInterval()': () => setInterval(() => {}, 1),
  'fs.readFileSync()': () => readFileSync('/etc/hostname'),
  'fs.promises.readFile()': () => readFile('/etc/hostname'),
  'net.connect()': () => connect(1),
  'crypto.randomUUID()': () => crypto.randomUUID(),
};

describe('the tripwire of a simulation', () => {
  for (const [what, offend] of Object.entries(outside)) {
    it(`crashes a simulated process that calls ${what}`, async () => {
      const errors: unknown[] = [];
      await using world = new Simulation();
      const runtime = await world.start('a', { onError: (error) => errors.push(error) });
      const pid = runtime.spawn(new Offender('offender'));
      const outcome = dispatch(pid, offend);
      await world.settle();
      expect(outcome.isFailed).to.equal(true);
      const error = outcome.failure();
      expect(error).to.be.instanceOf(ProcessError).with.property('code', 'OUTSIDE_THE_SEAM');
      expect(String(error)).to.include(what).and.include('offender@a');
      expect(errors).to.have.length(1);
    });
  }

  it('lets dates of given times pass, and everybody outside simulated turns', async () => {
    await using world = new Simulation();
    const simulated = await world.start('a');
    const pid = simulated.spawn(new Offender('values'));
    const year = dispatch(pid, () => new Date(0).getUTCFullYear());
    await world.settle();
    expect(year.get()).to.equal(1970);
    expect(new Date()).to.be.instanceOf(Date);
    expect(Date.now()).to.be.a('number');
    await using real = await Runtime.start();
    expect(await dispatch(real.spawn(new Offender('real')), () => Math.random())).to.be.lessThan(1);
  });

  it('is gone when the last simulation has stopped', () => {
    // In an OS process of its own: other tests have simulations too.
    const program = `
      import { Simulation } from '@mezzo/process/testing';
      const real = [Date.now, Math.random, setTimeout];
      const same = () => [Date.now, Math.random, setTimeout].map((now, index) => now === real[index]);
      const first = new Simulation();
      const second = new Simulation();
      console.log(...same());
      await first.stop();
      console.log(...same());
      await second.stop();
      console.log(...same());
    `;
    const given = ['--import', 'tsx', '--conditions=mezzo:source', '--input-type=module', '--eval', program];
    expect(execFileSync(process.execPath, given, { encoding: 'utf8' })).to.equal(
      'false false false\nfalse false false\ntrue true true\n',
    );
  });
});
