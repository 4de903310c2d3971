import { message, Process, type ExitReason, type Message, type PID, type WireSchema } from '@mezzo/process';

/** A schema from a test of the value. */
export function checked<T>(test: (value: unknown) => value is T): WireSchema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (test(value) ? { value } : { issues: [{ message: 'not of the expected shape' }] }),
    },
  };
}

const isNumbered = (value: unknown): value is { readonly n: number } =>
  typeof value === 'object' && value !== null && 'n' in value && typeof value.n === 'number';
const isText = (value: unknown): value is string => typeof value === 'string';

export const Add = message('add', checked(isNumbered));
export const Sum = message('sum', checked(isNumbered));
export const First = message('first', checked(isNumbered));
export const Second = message('second', checked(isNumbered));
export const Text = message('text', checked(isText));
export const Stuck = message('stuck', checked(isNumbered));
export const Fail = message('fail', checked(isNumbered));
export const Quit = message('quit', checked(isNumbered));
export const Greet = message('greet', checked(isNumbered));
export const LocalOnly = message<{ n: number }>('local-only');

/** Answers `add` with the number plus one, never answers `stuck`, crashes at `fail`, ends at `quit`. */
export class Adder extends Process {
  protected override initialize(): void {
    this.install(Add, ({ n }) => void this.reply(Sum, { n: n + 1 }));
    this.install(Stuck, () => {});
    this.install(Fail, () => {
      throw new Error('out of order');
    });
    this.install(Quit, () => this.terminate());
  }
}

/** Keeps what it hears, `name n`, and what exits, `exited pid kind`. */
export class Listener extends Process {
  readonly heard: string[] = [];
  readonly bodies: unknown[] = [];
  readonly senders: PID[] = [];
  readonly #links: readonly PID[];

  constructor(id: string, ...links: PID[]) {
    super(id);
    this.#links = links;
  }

  protected override initialize(): void {
    for (const kind of [First, Second, Add, Sum]) this.#hear(kind);
    this.install(Text, (body, from) => {
      this.heard.push('text');
      this.bodies.push(body);
      this.senders.push(from);
    });
    for (const pid of this.#links) this.link(pid);
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    this.heard.push(`exited ${pid.toString()} ${reason.kind}`);
  }

  linkTo(pid: PID): void {
    this.link(pid);
  }

  reconnectTo(pid: PID): void {
    this.link(pid, { reconnect: true });
  }

  tell(pid: PID, kind: Message<{ n: number }>, n: number): boolean {
    return this.send(pid, kind, { n });
  }

  #hear(kind: Message<{ readonly n: number }>): void {
    this.install(kind, ({ n }, from) => {
      this.heard.push(`${kind.name} ${n}`);
      this.senders.push(from);
    });
  }
}

/** At `greet` it sends three messages to whoever greeted, and ends. */
export class Leaver extends Process {
  protected override initialize(): void {
    this.install(Greet, (_body, from) => {
      for (const n of [1, 2, 3]) this.send(from, First, { n });
      this.terminate();
    });
  }
}
