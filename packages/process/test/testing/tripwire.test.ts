import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { gzip, gzipSync } from 'node:zlib';
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
  'crypto.getRandomValues()': () => crypto.getRandomValues(new Uint8Array(1)),
  'crypto.randomBytes()': () => randomBytes(1),
  'process.hrtime.bigint()': () => process.hrtime.bigint(),
  'setImmediate()': () => setImmediate(() => {}),
  'timers.promises.setTimeout()': () => pause(1),
  'AbortSignal.timeout()': () => AbortSignal.timeout(1),
  'fs.existsSync()': () => existsSync('/'),
  'fs.promises.mkdtemp()': () => mkdtemp('/tmp/x'),
  'http.get()': () => get('http://127.0.0.1:1'),
  'fetch()': () => fetch('http://127.0.0.1:1'),
  'dgram.createSocket()': () => createSocket('udp4'),
  'dns.lookup()': () => lookup('localhost', () => {}),
  'child_process.execFileSync()': () => execFileSync('true'),
  'new worker_threads.Worker()': () => new Worker('', { eval: true }),
  'new MessageChannel()': () => new MessageChannel(),
  'zlib.gzip()': () => gzip('', () => {}),
  'os.hostname()': () => hostname(),
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
    const pure = dispatch(pid, () => createHash('md5').update(gzipSync('')).digest('hex').length);
    await world.settle();
    expect([year.get(), pure.get()]).to.deep.equal([1970, 32]);
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
