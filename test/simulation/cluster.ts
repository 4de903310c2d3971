import { startAgent } from '@mezzo/agent';
import { withExitRecords } from '@mezzo/agent/testing';
import { type SchedulerDriver, startScheduler } from '@mezzo/frameworks';
import { startCandidate } from '@mezzo/master';
import { dispatch, type LocalPID, type Runtime } from '@mezzo/process';
import { LeaseServer, memoryLease, remoteLease } from '@mezzo/process/lease';
import { fileLog, LogServer, remoteLog } from '@mezzo/process/log';
import { type Run, type Script, SeededRandom, type Simulation } from '@mezzo/process/testing';
import { FrameworkRecord } from './framework-record.ts';
import { type Plant, plantAgent, plantFramework, plantLog, plantMaster } from './plants.ts';
import {
  agentNames,
  agentOptions,
  cluster,
  frameworkNames,
  lease,
  masterNames,
  masterOptions,
  nodeOptions,
} from './settings.ts';
import { SimulatedFramework } from './simulated-framework.ts';
import { Witness } from './witness.ts';

/** Milliseconds after which a program that has ended is started again. */
const restartPause = 5000;

/** What tasks are: `sleep SECONDS`, and perhaps a bad end. */
function runOf(command: string): Run {
  const [, seconds = '1', fails] = /^sleep (\d+)(; exit 1)?$/.exec(command) ?? [];
  return { duration: Number(seconds) * 1000, ...(fails === undefined ? {} : { code: 1 }) };
}

/** Of the cluster that commands are launched in just now: a thread simulates one at a time. */
let present: Witness | undefined;

export const script: Script = withExitRecords((command) => {
  present?.guard(() => present?.launches.launched(command));
  return runOf(command.arguments.at(-1) ?? '');
});

interface Scheduling {
  readonly scheduler: SimulatedFramework;
  readonly driver: LocalPID<SchedulerDriver>;
}

/** Masters with their lease and their registry, agents and frameworks, each on a node of its own, and who watches them. */
export class SimulatedCluster {
  readonly world: Simulation;
  readonly witness: Witness;
  readonly frameworks: readonly FrameworkRecord[];
  readonly #plant: Plant | undefined;
  readonly #lease = memoryLease({ created: 1 });
  readonly #schedulers = new Map<string, Scheduling>();

  constructor(world: Simulation, plant: Plant | undefined) {
    this.world = world;
    this.#plant = plant;
    const [first, second, third] = frameworkNames;
    this.frameworks = [
      // Knows nothing of partitions, and its tasks do not survive their agent.
      new FrameworkRecord({ name: first, role: '*', isPartitionAware: false, checkpoints: false, reserves: false }),
      new FrameworkRecord({ name: second, role: 'two', isPartitionAware: true, checkpoints: true, reserves: false }),
      new FrameworkRecord({ name: third, role: 'three', isPartitionAware: true, checkpoints: true, reserves: true }),
    ];
    this.witness = new Witness(world, this.frameworks);
    present = this.witness;
  }

  async start(): Promise<void> {
    await this.#start('lease', (runtime) => void runtime.spawn(new LeaseServer(this.#lease)));
    await this.#start('registry', (runtime) => this.#bootRegistry(runtime));
    for (const name of masterNames) await this.#start(name, (runtime) => this.#bootMaster(runtime));
    for (const name of agentNames) await this.#start(name, (runtime) => this.#bootAgent(runtime));
    for (const record of this.frameworks)
      await this.#start(record.name, (runtime) => this.#bootFramework(runtime, record));
  }

  /** Has a framework's scheduler do something, if it is up. */
  withScheduler(name: string, act: (scheduler: SimulatedFramework, driver: SchedulerDriver) => void): void {
    const found = this.#schedulers.get(name);
    if (found === undefined || this.world.runtime(name) === undefined) return;
    void dispatch(found.driver, (driver) => act(found.scheduler, driver)).repair(() => undefined);
  }

  /** The node that leads as far as the lease tells. */
  get leader(): string | undefined {
    const [leading] = this.witness.scene.masters();
    return leading?.node;
  }

  async #start(name: string, boot: (runtime: Runtime) => void): Promise<void> {
    await this.world.start(name, { ...nodeOptions, boot });
  }

  #bootRegistry(runtime: Runtime): void {
    this.witness.watch(runtime.name, runtime, this.witness.registryWriters);
    const log = plantLog(this.#plant, fileLog(runtime.files, '/registry'));
    runtime.spawn(new LogServer(this.witness.registryWriters.watch(log)));
  }

  #bootMaster(runtime: Runtime): void {
    plantMaster(this.#plant, runtime);
    this.witness.watch(runtime.name, runtime);
    const { candidacy } = startCandidate(runtime, {
      ...masterOptions,
      registry: remoteLog(runtime, runtime.pid('log@registry'), { timeout: '5s' }),
      election: { lease: remoteLease(runtime, runtime.pid('lease@lease'), { timeout: '2s' }), ...lease },
    });
    runtime.wait(candidacy).onAny(() => this.#comeBack(runtime));
  }

  #bootAgent(runtime: Runtime): void {
    plantAgent(this.#plant, runtime);
    this.witness.watch(runtime.name, runtime);
    const started = startAgent(runtime, agentOptions);
    // Its disk may be full.
    started.onFailed(() => this.#comeBack(runtime));
    started.onReady((agent) => runtime.wait(agent).onAny(() => this.#comeBack(runtime)));
  }

  #bootFramework(runtime: Runtime, record: FrameworkRecord): void {
    plantFramework(this.#plant, runtime);
    this.witness.watch(runtime.name, runtime);
    record.offers.clear();
    const scheduler = new SimulatedFramework({
      record,
      random: new SeededRandom(`${this.world.seed} ${record.name} ${this.world.elapsed}`),
      elapsed: () => this.world.elapsed,
      heard: (status) => this.witness.guard(() => this.witness.terminalStates.heard(record, status)),
      reusesIds: this.#plant === 'reused-id',
    });
    const driver = startScheduler(runtime, {
      cluster,
      scheduler,
      framework: {
        name: record.name,
        roles: [record.role],
        failoverTimeout: '1hrs',
        checkpoint: record.checkpoints,
        capabilities: record.isPartitionAware ? ['PARTITION_AWARE'] : [],
        ...(record.id === undefined ? {} : { id: record.id }),
      },
      reconciliationInterval: '1mins',
      registrationRetryIntervalMax: '15s',
    });
    this.#schedulers.set(record.name, { scheduler, driver });
    runtime.wait(driver).onAny(() => this.#comeBack(runtime));
  }

  /** What ended by itself is started again, as by a service manager. */
  #comeBack(runtime: Runtime): void {
    const { name } = runtime;
    if (this.world.runtime(name) !== runtime) return;
    this.world.note(`${name} has ended by itself`);
    this.world.clock.timer(restartPause, () => {
      if (this.world.runtime(name) !== runtime) return;
      this.world.crash(name);
      const again = (): void => {
        if (this.world.runtime(name) !== undefined) return;
        this.world.restart(name).catch(() => this.world.clock.timer(restartPause, again));
      };
      again();
    });
  }
}
