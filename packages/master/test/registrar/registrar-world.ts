import { type BodyOf, type Duration, type Future, type PID, Process, type Runtime } from '@mezzo/process';
import type { FencedLog } from '@mezzo/process/log';
import { Simulation } from '@mezzo/process/testing';
import {
  AgentID,
  type AgentInfo,
  type MasterInfo,
  registrarMessages,
  type RegistryContents,
  type RegistryOperation,
  type Term,
} from '@mezzo/protocol';
import { Registrar, type RegistrarOptions } from '../../src/registrar/registrar.ts';
import { UnsteadyLog } from './unsteady-log.ts';

export type Recovered = BodyOf<typeof registrarMessages.RecoverRegistry.reply>;
export type Changed = BodyOf<typeof registrarMessages.ChangeRegistry.reply>;

const { RecoverRegistry, ChangeRegistry, RegistrarLost } = registrarMessages;

/** What a master says to its registrar, and hears from it. */
export class SpeakingMaster extends Process {
  readonly term: Term;
  readonly lost: string[] = [];
  readonly #name: string;
  readonly #registrar: PID;
  readonly #more: Partial<MasterInfo>;

  constructor(name: string, registrar: PID, revision: number, more: Partial<MasterInfo> = {}) {
    super('master');
    this.#name = name;
    this.#registrar = registrar;
    this.#more = more;
    this.term = termOf(revision);
    this.install(RegistrarLost, ({ message }) => void this.lost.push(message));
  }

  get info(): MasterInfo {
    return {
      id: this.#name,
      address: this.self.address,
      hostname: `${this.#name}.example`,
      url: `http://${this.#name}.example:5050`,
      version: '0.1.0',
      capabilities: ['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2'],
      ...this.#more,
    };
  }

  recover(): Future<Recovered> {
    return this.recoverAt(this.#registrar);
  }

  recoverAt(registrar: PID): Future<Recovered> {
    return this.ask(registrar, RecoverRegistry, { term: this.term, master: this.info }, { timeout: '10mins' });
  }

  change(operation: RegistryOperation, term = this.term): Future<Changed> {
    return this.changeAt(this.#registrar, operation, term);
  }

  changeAt(registrar: PID, operation: RegistryOperation, term = this.term): Future<Changed> {
    return this.ask(registrar, ChangeRegistry, { term, operation }, { timeout: '10mins' });
  }
}

export interface RegistrarPair {
  readonly master: SpeakingMaster;
  readonly runtime: Runtime;
  readonly log: UnsteadyLog;
}

export interface PairOptions extends Partial<RegistrarOptions> {
  readonly revision: number;
  /** The node of the master. */
  readonly name?: string;
  readonly info?: Partial<MasterInfo>;
  /** The registrar runs on a node of its own. Default true. */
  readonly exploded?: boolean;
}

/** Masters with their registrars, which share one log. */
export class RegistrarWorld implements AsyncDisposable {
  readonly world = new Simulation({ latency: [1, 3] });
  readonly shared: FencedLog;

  constructor(shared: FencedLog) {
    this.shared = shared;
  }

  async pair(options: PairOptions): Promise<RegistrarPair> {
    const { revision, name = `master-${revision}`, info, exploded = true, ...rest } = options;
    const runtime = await this.world.start(name);
    const home = exploded ? await this.world.start(`registrar-${name}`) : runtime;
    const log = new UnsteadyLog(this.shared, this.world.clock);
    home.spawn(new Registrar({ log, ...rest }));
    const master = new SpeakingMaster(name, runtime.pid(`registrar@${home.name}`), revision, info);
    runtime.spawn(master);
    await this.world.advance('10ms');
    return { master, runtime: home, log };
  }

  /** As `pair`, recovered. */
  async reign(options: PairOptions): Promise<RegistrarPair & { readonly recovered: RegistryContents }> {
    const pair = await this.pair(options);
    const outcome = await this.outcome(pair.master.recover());
    if (outcome.outcome !== 'RECOVERED') throw new Error(`not recovered: ${outcome.message}`);
    return { ...pair, recovered: outcome.registry };
  }

  /** What comes of it within a second, or the given time. */
  async outcome<T>(future: Future<T>, limit: Duration = '1s'): Promise<T> {
    if (!(await this.world.advanceUntil(() => !future.isPending, limit))) throw new Error('no outcome yet');
    return future.get();
  }

  /** The outcomes of operations that were asked for one right after the other. */
  async change({ master }: RegistrarPair, ...operations: readonly RegistryOperation[]): Promise<string[]> {
    const asked = operations.map((operation) => master.change(operation));
    await this.world.advanceUntil(() => asked.every((future) => !future.isPending), '1mins');
    return asked.map((future) => future.get().outcome);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.stop();
  }
}

export function termOf(revision: number): Term {
  return { created: 1000, revision };
}

export function agent(n: number): AgentID {
  return AgentID(`a1b2c3d4-0000-4000-8000-000000000000-S${n}`);
}

export function infoOf(n: number, cpus = 8): AgentInfo {
  return {
    hostname: `host-${n}.example`,
    ip: `10.0.${Math.floor(n / 250)}.${(n % 250) + 1}`,
    url: `http://host-${n}.example:5051`,
    attributes: { rack: `rack-${n % 40}`, kernel: '6.1' },
    resources: [
      { type: 'SCALAR', name: 'cpus', scalar: cpus },
      { type: 'SCALAR', name: 'mem', scalar: 32_768 },
      { type: 'SCALAR', name: 'disk', scalar: 1_000_000 },
      { type: 'RANGES', name: 'ports', ranges: [{ begin: 31_000, end: 32_000 }] },
    ],
    domain: { region: 'eu', zone: `eu-${n % 3}` },
  };
}

export function admission(n: number): RegistryOperation {
  return { kind: 'ADMIT_AGENT', agentId: agent(n), info: infoOf(n) };
}
