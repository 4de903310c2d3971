import { type LocalPID, message, type Message, type PID, Process } from '@mezzo/process';
import type { Simulation } from '@mezzo/process/testing';
import { AgentID, FrameworkID, Resources } from '@mezzo/protocol';
import { Books, type Offered } from './books.ts';
import { interval, ScriptedMaster } from './scripted-master.ts';

/** What an allocator did that it must not, or did not do that it must. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure';
}

/** How many periods an allocator has to offer what it should, so that runs may be only periodic. */
const patience = 3;

/** An allocator and a scripted master, alone in a world. */
export class Stage {
  readonly world: Simulation;
  readonly books: Books;
  readonly allocator: LocalPID<Process>;
  master: ScriptedMaster;

  private constructor(world: Simulation, books: Books, allocator: LocalPID<Process>, master: ScriptedMaster) {
    this.world = world;
    this.books = books;
    this.allocator = allocator;
    this.master = master;
  }

  /** With a master that has asked the allocator to listen. */
  static async begin(world: Simulation, create: () => Process, respectsFilters: boolean): Promise<Stage> {
    const runtime = await world.start('master');
    const books = new Books(() => world.clock.now(), respectsFilters);
    const allocator = runtime.spawn(create());
    const master = new ScriptedMaster(allocator, books);
    runtime.spawn(master);
    const stage = new Stage(world, books, allocator, master);
    await stage.settle();
    master.begin();
    await stage.settle();
    return stage;
  }

  /** What is on offer: to that framework, of that agent. */
  offers(framework?: string, agent?: string): readonly Offered[] {
    return this.books.offers.filter(
      ({ frameworkId, agentId }) =>
        (framework === undefined || frameworkId === framework) && (agent === undefined || agentId === agent),
    );
  }

  /** Without roles, summed. */
  offered(framework?: string, agent?: string): Resources {
    return Resources.sum(this.offers(framework, agent).map(({ resources }) => resources.unallocate()));
  }

  async settle(): Promise<void> {
    await this.world.settle();
    this.books.settled();
    this.check();
  }

  /** Lets the allocator run, also one that only runs periodically. */
  async runs(periods = patience): Promise<void> {
    await this.settle();
    await this.world.advance(periods * interval + 1);
    this.check();
  }

  /** Throws ConformanceFailure for the first thing it did that it must not. */
  check(): void {
    const [first, ...others] = this.books.faults;
    if (first === undefined) return;
    throw new ConformanceFailure(
      `The allocator ${first}${others.length === 0 ? '' : ` (and ${others.length} more faults)`}`,
    );
  }

  /** Throws unless exactly that, as `Resources.parse` reads it, is on offer. */
  expect(expected: string, when: string, framework?: string, agent?: string): void {
    const offered = this.offered(framework, agent);
    if (offered.equals(Resources.parse(expected))) return;
    const [whom, what] = [framework ?? 'any framework', agent === undefined ? '' : ` of agent ${agent}`];
    throw new ConformanceFailure(
      `${when}: expected that ${expected || 'nothing'}${what} is offered to ${whom}; ${String(offered) || 'nothing'} is`,
    );
  }

  demand(holds: boolean, otherwise: string): void {
    if (!holds) throw new ConformanceFailure(otherwise);
  }

  /** Somebody on another node, who is not its master. */
  async stranger(): Promise<Stranger> {
    const runtime = await this.world.start('elsewhere');
    const stranger = new Stranger(this.allocator);
    runtime.spawn(stranger);
    await this.settle();
    return stranger;
  }

  /** Another master process in the place of this one, that knows nothing. */
  async replaceMaster(): Promise<void> {
    const runtime = this.world.runtime('master');
    if (runtime === undefined) throw new Error('The node of the master is down');
    runtime.terminate(this.master.self);
    await this.world.settle();
    this.books.clear();
    this.master = new ScriptedMaster(this.allocator, this.books);
    runtime.spawn(this.master);
    await this.settle();
  }
}

class Stranger extends Process {
  readonly #allocator: PID;

  constructor(allocator: PID) {
    super('stranger');
    this.#allocator = allocator;
  }

  tell<T>(kind: Message<T>, body: T): void {
    this.send(this.#allocator, kind, ...([body] as [T] extends [void] ? [] : [T]));
  }

  /** A message of that kind with any body, as other programs might send it. */
  tellAnything({ name }: { readonly name: string }, body: unknown): void {
    const validate = (value: unknown) => ({ value });
    this.tell(message<unknown>(name, { '~standard': { version: 1, vendor: 'mezzo', validate } }), body);
  }
}

export const framework = (name: string): FrameworkID => FrameworkID(name);
export const agent = (name: string): AgentID => AgentID(name);
