import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateNatsServer, type NatsServer, startNatsServer } from '@mezzo/cli';
import { shellTask, startScheduler } from '@mezzo/frameworks';
import {
  compareTerms,
  decodeLeader,
  type Leader,
  leaderTopic,
  Resources,
  type TaskID,
  type TaskStatus,
} from '@mezzo/protocol';
import { Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { expect } from 'chai';
import { eventually, type Running, run, start } from '../support/command.ts';
import { skipBecause } from '../support/skip.ts';

const mezzo = 'packages/cli/dist/mezzo.js';
const limit = 60_000;

describe('masters on OS processes that elect a leader by JetStream', function () {
  this.timeout(3 * limit);
  let folder: string;
  let server: NatsServer;
  let runtime: Runtime;
  const programs = new Map<string, Running>();
  /** In the order in which they were heard of. */
  const leaders: Leader[] = [];

  beforeEach(async function () {
    if (locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');
    folder = await mkdtemp(join(tmpdir(), 'mezzo-failover-'));
    server = await startNatsServer({ directory: join(folder, 'nats'), jetstream: true, credentials: 'none' });
    runtime = await Runtime.start({ name: 'test', transport: nats({ servers: server.url }), linkTimeout: '2s' });
    leaders.length = 0;
    runtime.listen(leaderTopic, (data) => {
      const leader = decodeLeader(data);
      if (leader !== undefined && leaders.at(-1)?.address !== leader.address) leaders.push(leader);
    });
  });
  afterEach(async () => {
    await runtime?.stop();
    // Agents take their tasks with them, if they are asked to end.
    for (const [name, { child }] of programs) child.kill(name.startsWith('agent') ? 'SIGTERM' : 'SIGKILL');
    await Promise.all([...programs.values()].map(({ finished }) => finished));
    programs.clear();
    await server?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const common = (): string[] => ['--nats', server.url, '--port', '0', '--link-timeout', '1s', '--exit-with-parent'];
  const registry = ['--registry', 'jetstream'];
  const startMaster = async (name: string): Promise<void> => {
    const options = ['--election', 'jetstream', '--lease-duration', '2s', '--allocation-interval', '100ms'];
    const program = start(mezzo, ['master', '--name', name, ...common(), ...registry, ...options]);
    programs.set(name, program);
    await ready(name, program);
  };
  const startAgent = async (name: string): Promise<void> => {
    const options = ['--work-dir', join(folder, name), '--resources', 'cpus:4;mem:1024', '--kill-tasks-on-stop'];
    const program = start(mezzo, ['agent', '--name', name, ...common(), ...options]);
    programs.set(name, program);
    await ready(name, program);
  };
  const ready = (name: string, program: Running): Promise<true> =>
    eventually(
      () => program.stdout().includes('"ready"') && true,
      limit,
      () => `${name}: ${program.stderr()}`,
    );
  const leaderOtherThan = (previous: Leader | undefined): Promise<Leader> =>
    eventually(
      () => {
        const last = leaders.at(-1);
        return last !== undefined && last.address !== previous?.address && last;
      },
      limit,
      () => [...programs].map(([name, program]) => `${name}: ${program.stderr().slice(-300)}`).join('\n'),
    );
  const nodeOf = (leader: Leader): string => runtime.pid(leader.address).node;

  const needs = [...Resources.parse('cpus:0.5;mem:32')];

  /** A framework that keeps so many tasks running, and what it was told of each. */
  const keepRunning = (count: number): Map<TaskID, TaskStatus['state'][]> => {
    const told = new Map<TaskID, TaskStatus['state'][]>();
    let number = 0;
    startScheduler(runtime, {
      cluster: 'mezzo',
      framework: { name: 'keeper', capabilities: ['PARTITION_AWARE'], failoverTimeout: '1hrs', checkpoint: true },
      scheduler: {
        offers(given, offers) {
          for (const offer of offers) {
            const wanted = count - told.size;
            const tasks = Array.from({ length: Math.min(wanted, 4) }, () => {
              const task = shellTask(offer, { id: `t${number++}`, command: 'sleep 600', resources: needs });
              told.set(task.taskId, []);
              return task;
            });
            given.accept(offer, tasks, { refuseSeconds: 1 });
          }
        },
        update(_given, { taskId, state }) {
          told.get(taskId)?.push(state);
        },
      },
    });
    return told;
  };
  const allRunning = (told: Map<TaskID, TaskStatus['state'][]>, count: number): Promise<true> =>
    eventually(
      () => told.size === count && [...told.values()].every((states) => states.at(-1) === 'TASK_RUNNING') && true,
      limit,
      () => JSON.stringify([...told]),
    );

  it('a leader that gets kill -9 is replaced, and no task ends or is forgotten', async () => {
    await startMaster('m1');
    await startMaster('m2');
    await startAgent('agent-1');
    await startAgent('agent-2');
    const first = await leaderOtherThan(undefined);
    const told = keepRunning(8);
    await allRunning(told, 8);
    programs.get(nodeOf(first))?.child.kill('SIGKILL');
    const second = await leaderOtherThan(first);
    expect(nodeOf(second)).to.not.equal(nodeOf(first));
    expect(compareTerms(second.term, first.term)).to.be.above(0);
    const state = async (): Promise<{ readonly running: number; readonly agents: number }> => {
      const response = await fetch(new URL('/state', second.url)).catch(() => undefined);
      if (response?.ok !== true) return { running: 0, agents: 0 };
      const { frameworks, slaves } = (await response.json()) as {
        frameworks: { connected: boolean; tasks: { state: string }[] }[];
        slaves: unknown[];
      };
      const tasks = frameworks.filter(({ connected }) => connected).flatMap((framework) => framework.tasks);
      return { running: tasks.filter((task) => task.state === 'TASK_RUNNING').length, agents: slaves.length };
    };
    await eventually(
      async () => {
        const { running, agents } = await state();
        return running === 8 && agents === 2;
      },
      limit,
      () => JSON.stringify([...told]),
    );
    for (const states of told.values())
      expect(states.filter((known) => known !== 'TASK_RUNNING' && known !== 'TASK_STARTING')).to.deep.equal([]);
  });

  it('the registry is backed up and restored by one command each', async () => {
    await startMaster('m1');
    await startAgent('agent-1');
    await leaderOtherThan(undefined);
    const where = ['--nats', server.url, ...registry];
    const file = join(folder, 'backup.json');
    await eventually(
      async () => (await run(mezzo, ['registry', 'backup', ...where])).stdout.includes('"agentId"'),
      limit,
      () => programs.get('m1')?.stderr() ?? '',
    );
    expect((await run(mezzo, ['registry', 'backup', ...where, file])).code).to.equal(0);
    const again = await run(mezzo, ['registry', 'backup', ...where, file]);
    expect(again).to.deep.include({ code: 1 });
    expect(again.stderr).to.match(/EEXIST/);
    programs.get('m1')?.child.kill('SIGKILL');
    await programs.get('m1')?.finished;
    const refused = await run(mezzo, ['registry', 'restore', ...where, file]);
    expect(refused).to.deep.include({ code: 1 });
    expect(refused.stderr).to.match(/not empty/);
    const restored = await run(mezzo, ['registry', 'restore', ...where, '--force', file]);
    expect(restored).to.deep.include({ code: 0, stdout: 'restored: 1 agents, 0 unreachable, 0 gone\n' });
  });
});
