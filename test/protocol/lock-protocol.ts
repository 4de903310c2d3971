import {
  message,
  messageOf,
  Process,
  ProcessError,
  type ExitReason,
  type PID,
  type Runtime,
  type WireSchema,
} from '@mezzo/process';

/** Tells that something of a kind happened; what the two worlds are compared by. */
export type Tell = (kind: string) => void;

export type Role = 'keeper' | 'worker' | 'hog';

const empty: WireSchema<object> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'object' && value !== null ? { value } : { issues: [{ message: 'no object' }] },
  },
};

const Acquire = message('acquire', empty);
const Granted = message('granted', empty);
const Release = message('release', empty);
const Hail = message('hail', empty);
const Hailed = message('hailed', empty);

/** Puts the process of a role on the node, and tells what becomes of messages. */
export function play(role: Role, runtime: Runtime, tell: Tell): void {
  runtime.onDeadLetter(({ reason, name }) => {
    // Whoever hails a node that is away expects no answer.
    if (name !== Hail.name || reason === 'session') tell(`dead letter ${reason}`);
  });
  const lookForResends = (): void => {
    if (runtime.metrics.wireResent > 0) tell('resent');
    else runtime.clock.timer(20, lookForResends);
  };
  lookForResends();
  runtime.spawn(role === 'keeper' ? new Keeper(tell) : new Client(tell, role === 'worker'));
}

/** Grants one lock to whoever asked first, and takes it back from the dead. */
class Keeper extends Process {
  readonly #tell: Tell;
  #holder: PID | undefined;
  #waiting: PID[] = [];

  constructor(tell: Tell) {
    super('keeper');
    this.#tell = tell;
  }

  protected override initialize(): void {
    this.install(Hail, () => void this.reply(Hailed, {}));
    this.install(Acquire, (_body, from) => {
      this.link(from);
      this.#waiting.push(from);
      this.#grant();
    });
    this.install(Release, (_body, from) => {
      if (this.#holder?.equals(from) !== true) return;
      this.#tell('released');
      this.#holder = undefined;
      this.#grant();
    });
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    this.#waiting = this.#waiting.filter((waiting) => !waiting.equals(pid));
    if (this.#holder?.equals(pid) !== true) return;
    this.#tell(`holder ${reason.kind}`);
    this.#holder = undefined;
    this.#grant();
  }

  #grant(): void {
    if (this.#holder !== undefined) return;
    this.#holder = this.#waiting.shift();
    if (this.#holder !== undefined) this.send(this.#holder, Granted, {});
  }
}

/** Takes the lock and gives it back again and again, or (a hog) keeps it; comes back to a keeper that went away. */
class Client extends Process {
  readonly #tell: Tell;
  readonly #works: boolean;
  #away = true;

  constructor(tell: Tell, works: boolean) {
    super('client');
    this.#tell = tell;
    this.#works = works;
  }

  get #keeper(): PID {
    return this.runtime.pid('keeper@keeper');
  }

  protected override initialize(): void {
    this.install(Granted, () => {
      this.#tell(this.#works ? 'granted' : 'hogged');
      if (this.#works) this.delay('10ms', () => this.#giveBack());
    });
    this.#hail();
  }

  protected override exited(_pid: PID, reason: ExitReason): void {
    if (this.#away) return;
    this.#tell(`keeper ${reason.kind}`);
    this.#away = true;
    this.delay('20ms', () => this.#hail());
  }

  /** A worker has a question open at nearly all times; whoever waits for a keeper to come back asks until one answers. */
  #hail(): void {
    const answer = this.ask(this.#keeper, Hail, {}, { reply: Hailed, timeout: '30s' });
    answer.onReady(this.defer(() => this.#hailed()));
    answer.onFailed(this.defer((error: unknown) => this.#unheard(error)));
  }

  #hailed(): void {
    if (this.#away) {
      this.#away = false;
      this.link(this.#keeper);
      this.send(this.#keeper, Acquire, {});
    }
    if (this.#works) this.delay('20ms', () => this.#hail());
  }

  #unheard(error: unknown): void {
    const code = error instanceof ProcessError ? error.code : messageOf(error);
    if (code === 'OUTCOME_UNKNOWN') this.#tell('ask OUTCOME_UNKNOWN');
    else this.delay('20ms', () => this.#hail());
  }

  #giveBack(): void {
    this.send(this.#keeper, Release, {});
    if (!this.#away) this.send(this.#keeper, Acquire, {});
  }
}
