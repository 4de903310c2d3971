import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { skipBecause } from '../support/skip.ts';
import { Ledger } from './ledger.ts';

describe('the ledger of what ran', () => {
  let folder: string;
  let ledger: Ledger;
  let process_: ChildProcess;

  before(function () {
    if (!existsSync('/proc/self/stat')) skipBecause(this, 'what really runs is read from /proc');
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mezzo-ledger-'));
    ledger = new Ledger(join(folder, 'journal'), join(folder, 'launches'));
    process_ = spawn('sleep', ['600']);
    await once(process_, 'spawn');
  });
  afterEach(() => {
    process_.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const write = (file: string, text: string): void => appendFileSync(join(folder, file), text);
  const launch = (id: string): void =>
    write('journal', `${JSON.stringify({ at: 1, kind: 'launch', id, agent: 'a' })}\n`);
  const told = (id: string, state: string): void =>
    write('journal', `${JSON.stringify({ at: 2, kind: 'update', id, state, why: 'because' })}\n`);
  const starts = (id: string): void => write('launches', `${id} ${process_.pid}\n`);
  const end = async (): Promise<void> => {
    const exited = once(process_, 'exit');
    process_.kill('SIGKILL');
    await exited;
  };

  it('counts a task as running that was told to and whose process is there', async () => {
    launch('t0');
    starts('t0');
    expect(ledger.look().running).to.deep.equal([]);
    told('t0', 'TASK_RUNNING');
    expect(ledger.look().running).to.deep.equal(['t0']);
    await end();
    expect(ledger.look().running).to.deep.equal([]);
  });

  it('finds a task that was started twice', () => {
    launch('t0');
    starts('t0');
    expect(ledger.look().twice()).to.deep.equal([]);
    starts('t0');
    expect(ledger.look().twice()).to.deep.equal(['t0 2 times']);
  });

  it('finds a task that is lost: told to have ended, or gone without a word', async () => {
    for (const id of ['t0', 't1']) {
      launch(id);
      starts(id);
      told(id, 'TASK_RUNNING');
    }
    expect(ledger.look().lost()).to.deep.equal([]);
    told('t0', 'TASK_LOST');
    expect(ledger.look().lost()).to.deep.equal(['t0 TASK_LOST because']);
    await end();
    expect(ledger.look().lost()).to.deep.equal(['t0 TASK_LOST because', 't1 has ended, and is TASK_RUNNING']);
  });

  it('finds a short task that ran and was told not to have, and counts one that did not run', () => {
    launch('s0');
    launch('s1');
    starts('s0');
    told('s0', 'TASK_DROPPED');
    told('s1', 'TASK_DROPPED');
    expect(ledger.look().lost()).to.deep.equal(['s0 TASK_DROPPED because']);
    expect(ledger.notRun).to.equal(1);
    told('s0', 'TASK_FINISHED');
    expect(ledger.look().lost()).to.deep.equal([]);
  });

  it('finds a short task of which nothing is heard any more', () => {
    launch('s0');
    told('s0', 'TASK_STAGING');
    expect(ledger.look().forgotten(1)).to.deep.equal([]);
    expect(ledger.forgotten(2)).to.deep.equal(['s0 TASK_STAGING, never started']);
  });

  it('ends what is left', async () => {
    starts('t0');
    const exited = once(process_, 'exit');
    ledger.look().endAll();
    await exited;
    expect(ledger.left()).to.deep.equal([]);
  });

  it('waits for the rest of a line that is half written', () => {
    write('launches', `t0 ${process_.pid}`);
    expect(ledger.look().left()).to.deep.equal([]);
    write('launches', '\n');
    expect(ledger.look().left()).to.deep.equal([process_.pid]);
  });
});
