import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { compareTerms, decodeLeader, type Leader, leaderTopic } from '@mezzo/protocol';
import { eventually, root } from '../support/command.ts';
import { Ledger } from './ledger.ts';
import { createMachines, freePorts, type Machine, type Machines } from './machines.ts';
import { NatsServers } from './nats-servers.ts';
import { Program } from './program.ts';

/** Options of `mezzo master` and of all nodes. */
export interface Settings {
  readonly name: string;
  readonly linkTimeout: number;
  readonly master: readonly string[];
}

/** A cluster on one machine, where losing a leader is to be noticed within a second or two. */
export const demo: Settings = {
  name: 'demo',
  linkTimeout: 1000,
  master: ['--lease-duration', '1s', '--allocation-interval', '100ms'],
};

/** The defaults of the command. */
export const production: Settings = { name: 'production', linkTimeout: 5000, master: [] };

export interface ChaosOptions {
  readonly settings: Settings;
  readonly tasks: number;
  /** Of two seconds each, running at any time. */
  readonly shortTasks: number;
  readonly agents: number;
  /** Each program in a network namespace, if that can be had. */
  readonly separate: boolean;
}

/** What was heard of a leader, and when. */
export interface Heard {
  readonly at: number;
  readonly leader: Leader;
}

const limit = 120_000;

/** Three NATS servers with JetStream, three masters, agents and a framework, each an OS process that can be killed. */
export class ChaosCluster {
  readonly options: ChaosOptions;
  readonly folder = mkdtempSync(join(tmpdir(), 'mezzo-chaos-'));
  readonly machines: Machines;
  readonly ledger: Ledger;
  readonly masters: Program[] = [];
  readonly agents: Program[] = [];
  /** Changes of who is announced as the leader. */
  readonly heard: Heard[] = [];
  /** Announcements of an older term than one announced before. */
  stale = 0;
  #servers: NatsServers | undefined;
  #keeper: Program | undefined;
  #runtime: Runtime | undefined;

  constructor(options: ChaosOptions) {
    this.options = options;
    this.machines = createMachines(options.separate);
    this.ledger = new Ledger(join(this.folder, 'journal'), join(this.folder, 'launches'));
  }

  get servers(): NatsServers {
    if (this.#servers === undefined) throw new Error('The cluster has not been started');
    return this.#servers;
  }

  get keeper(): Program {
    if (this.#keeper === undefined) throw new Error('The cluster has not been started');
    return this.#keeper;
  }

  async start(): Promise<void> {
    const { settings, tasks, shortTasks, agents: agentCount } = this.options;
    const heads = [1, 2, 3].map((number) => this.machines.add(`m${number}`));
    this.#servers = await NatsServers.create(this.folder, heads);
    await this.#servers.start();
    const { urls } = this.#servers;
    const all = urls.join(',');
    const ports = await freePorts(heads.length + agentCount);
    const node = (name: string, nats_: string, port: number | undefined): string[] => [
      ...['--name', name, '--nats', nats_, '--port', `${port}`, '--exit-with-parent'],
      ...['--link-timeout', `${settings.linkTimeout}ms`],
    ];
    for (const [index, machine] of heads.entries()) {
      // Each knows the server of its own machine; of the others it hears from that.
      const options = node(machine.name, urls[index] ?? all, ports[index]);
      const election = ['--election', 'jetstream', '--registry', 'jetstream', '--replicas', '3'];
      this.masters.push(this.#mezzo(machine.name, machine, ['master', ...options, ...election, ...settings.master]));
    }
    for (let index = 0; index < agentCount; index++) {
      const name = `a${index + 1}`;
      const workDir = join(this.folder, name);
      // One that was started again has room for all tasks that could not go elsewhere meanwhile.
      const resources = `cpus:${Math.ceil((tasks / agentCount) * 1.5 + shortTasks) / 10};mem:100000;disk:10240`;
      const options = node(name, all, ports[heads.length + index]);
      mkdirSync(workDir);
      const own = ['--work-dir', workDir, '--resources', resources];
      this.agents.push(this.#mezzo(name, this.machines.add(name), ['agent', ...options, ...own]));
    }
    const program = ['--import', 'tsx', join(import.meta.dirname, 'keeper.ts'), all];
    const files = [join(this.folder, 'journal'), join(this.folder, 'launches')];
    this.#keeper = new Program('keeper', this.machines.add('k'), join(this.folder, 'keeper.log'), [
      ...[process.execPath, ...program, ...files],
      ...[tasks, shortTasks, settings.linkTimeout].map(String),
    ]);
    this.#runtime = await Runtime.start({ name: 'watch', transport: nats({ servers: all }) });
    this.#runtime.listen(leaderTopic, (data) => this.#hear(decodeLeader(data)));
    for (const each of [...this.masters, ...this.agents, this.#keeper]) each.start();
    await this.settled(limit);
  }

  #mezzo(name: string, machine: Machine, args: readonly string[]): Program {
    const command = [process.execPath, join(root, 'packages/cli/dist/mezzo.js'), ...args];
    return new Program(name, machine, join(this.folder, `${name}.log`), command);
  }

  #hear(leader: Leader | undefined): void {
    if (leader === undefined) return;
    const last = this.heard.at(-1)?.leader;
    const order = last === undefined ? 1 : compareTerms(leader.term, last.term);
    if (order > 0) this.heard.push({ at: Date.now(), leader });
    if (order < 0) this.stale++;
  }

  // ---- who leads

  get leader(): Heard {
    const last = this.heard.at(-1);
    if (last === undefined) throw new Error('Nobody was announced as the leader');
    return last;
  }

  masterOf({ address }: Leader): Program {
    const node = this.#runtime?.pid(address).node;
    const found = this.masters.find(({ name }) => name === node);
    if (found === undefined) throw new Error(`No master is at ${address}`);
    return found;
  }

  /** Which place the leading master has. */
  get leading(): number {
    return this.masters.indexOf(this.masterOf(this.leader.leader));
  }

  // ---- what is so

  /** Until everything is as it should be: all tasks run, for the framework, for the leader, and as processes. */
  async settled(within: number, before = 0): Promise<void> {
    const { tasks, agents } = this.options;
    let missing = 'nothing was looked at';
    const look = async (): Promise<boolean> => {
      const ledger = this.ledger.look();
      const { length: running } = ledger.running;
      const forgotten = ledger.forgotten(before);
      missing = `${running} of ${tasks} run`;
      if (running !== tasks || ledger.lasting.length !== tasks) return false;
      missing = `of short tasks ${forgotten.join(', ')}`;
      if (forgotten.length > 0) return false;
      const state = await this.state();
      const known = new Set(state.running);
      const unknown = ledger.lasting.filter((id) => !known.has(id));
      missing = `the leader knows ${state.agents} agents, and not that ${unknown.slice(0, 5).join(', ')} run (${state.why})`;
      return state.agents === agents && unknown.length === 0;
    };
    await eventually(look, within, () => `${missing}\n${this.logs()}`);
  }

  /** What the leader says of the framework that is connected, and of agents that are. */
  async state(): Promise<{ readonly running: readonly string[]; readonly agents: number; readonly why: string }> {
    const { leader } = this.leader;
    try {
      const { machine } = this.masterOf(leader);
      const text = await fetchFrom(machine, new URL('/state', leader.url).href);
      const { frameworks, activated_slaves: agents } = JSON.parse(text) as {
        readonly frameworks: { readonly connected: boolean; readonly tasks: { id: string; state: string }[] }[];
        readonly activated_slaves: number;
      };
      const tasks = frameworks.filter(({ connected }) => connected).flatMap((framework) => framework.tasks);
      return { running: tasks.filter(({ state }) => state === 'TASK_RUNNING').map(({ id }) => id), agents, why: 'ok' };
    } catch (error) {
      return { running: [], agents: 0, why: String(error).slice(0, 200) };
    }
  }

  logs(): string {
    return [...this.masters, ...this.agents, ...(this.#keeper === undefined ? [] : [this.#keeper])]
      .map((program) => `${program.name}${program.running ? '' : ' (ended)'}: ${program.tail()}`)
      .join('\n');
  }

  /** Ends everything, by pid, whatever state it is in. */
  async stop(): Promise<void> {
    try {
      if (this.#keeper?.running === true) this.#keeper.signal('SIGTERM');
      await eventually(
        () => this.ledger.look().left().length === 0,
        15_000,
        () => 'tasks go on',
      ).catch(() => undefined);
    } finally {
      const servers = this.#servers?.programs ?? [];
      const all = [...(this.#keeper === undefined ? [] : [this.#keeper]), ...this.masters, ...this.agents, ...servers];
      await Promise.all(all.map((program) => program.kill()));
      this.machines[Symbol.dispose]();
      this.ledger.look().endAll();
      await this.#runtime?.stop();
    }
  }

  forget(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const execute = promisify(execFile);

/** Nodes serve HTTP on 127.0.0.1 only: it is asked for where that is the same. */
async function fetchFrom(machine: Machine, url: string): Promise<string> {
  const script = 'fetch(process.argv[1]).then((it) => it.text()).then((it) => process.stdout.write(it))';
  const [file, ...args] = machine.prefix;
  if (file === undefined) return await (await fetch(url, { signal: AbortSignal.timeout(5000) })).text();
  const all = [...args, process.execPath, '-e', script, url];
  const { stdout } = await execute(file, all, { timeout: 5000, maxBuffer: 1 << 26 });
  return stdout;
}
