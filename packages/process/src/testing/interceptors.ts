import { toMilliseconds, type Duration } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import type { Event, ExitReason } from '../event.ts';
import { Deferred, type Future } from '../future/future.ts';
import type { Message } from '../message.ts';
import type { LocalPID, PID } from '../pid.ts';
import type { Process } from '../process.ts';
import type { Runtime } from '../runtime.ts';
import type { Interceptor } from '../runtime-options.ts';

/** Which messages or exits a rule is for. A bare PID means whoever has the id, an exact one that very process. */
export interface Match<T = unknown> {
  /** Sender, or who exited. Default: anyone. */
  readonly from?: PID;
  /** Receiver. Default: anyone. */
  readonly to?: PID;
  /** What else must hold of the body, or of the reason of an exit. */
  readonly where?: (body: T) => boolean;
  /** How many events the rule is for before it retires. Default 1; for `forbid` all there are. */
  readonly times?: number;
}

/** What was intercepted. */
export interface Intercepted<T> {
  readonly body: T;
  readonly from: PID | undefined;
  readonly to: PID;
}

type Verdict = ReturnType<Interceptor>;

interface Rule {
  readonly matches: (event: Event, to: PID) => boolean;
  readonly act: (event: Event, to: PID) => Verdict;
  readonly seen: Deferred<Intercepted<unknown>>;
  left: number;
}

/** Rules about messages, dispatches and exits. Each gives a Future that is READY at the first match, before the handler runs. */
export class Rules {
  readonly #add: (matches: Rule['matches'], times: number | undefined) => Future<Intercepted<unknown>>;

  constructor(add: (matches: Rule['matches'], times: number | undefined) => Future<Intercepted<unknown>>) {
    this.#add = add;
  }

  /** @param kind of message; undefined for any. */
  message<T>(kind: Message<T> | undefined, match: Match<T> = {}): Future<Intercepted<T>> {
    const name = kind?.name;
    const matches = (event: Event, to: PID): boolean =>
      event.kind === 'message' && (name === undefined || event.name === name) && concerns(event, to, match as Match);
    return this.#add(matches, match.times) as Future<Intercepted<T>>;
  }

  /** @param method name of the method, as given to `runtime.dispatch(pid, 'method')`: a closure has no name. */
  dispatch<P extends Process>(to: LocalPID<P>, method: keyof P & string, times?: number): Future<void> {
    return this.#add(
      (event, target) => event.kind === 'dispatch' && event.name === method && same(to, target),
      times,
    ).map(() => undefined);
  }

  exited(match: Match<ExitReason> = {}): Future<Intercepted<ExitReason>> {
    const matches = (event: Event, to: PID): boolean => event.kind === 'exited' && concerns(event, to, match as Match);
    return this.#add(matches, match.times) as Future<Intercepted<ExitReason>>;
  }
}

/**
 * Looks into, drops or delays what processes of one runtime are about to serve, also what was queued before. Of several
 * rules that match, the latest decides. Everything ends with `dispose` (`using`): rules that saw nothing are abandoned.
 */
export class Interception implements Disposable {
  readonly observe: Rules;
  readonly drop: Rules;
  /** Rules for what must not come: it is served, and `dispose` throws FORBIDDEN_EVENT. */
  readonly forbid: Rules;
  readonly #runtime: Runtime;
  readonly #previous: Interceptor | undefined;
  readonly #released = new WeakSet<Event>();
  readonly #forbidden: string[] = [];
  #rules: Rule[] = [];
  readonly #own: Interceptor = (event, to) => this.#judge(event, to);

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.observe = new Rules((matches, times) => this.#add(matches, () => 'serve', times));
    this.drop = new Rules((matches, times) => this.#add(matches, () => 'drop', times));
    this.forbid = new Rules((matches, times = Number.POSITIVE_INFINITY) =>
      this.#add(matches, (event, to) => this.#note(event, to), times),
    );
    this.#previous = runtime.interceptor;
    runtime.interceptor = this.#own;
  }

  /** Rules whose events are served that much later, behind what came in meanwhile. */
  delay(duration: Duration): Rules {
    const wait = toMilliseconds(duration);
    const hold = (event: Event, to: PID): Verdict => {
      this.#runtime.clock.timer(wait, () => {
        this.#released.add(event);
        to.receiver?.accept(event);
      });
      return 'keep';
    };
    return new Rules((matches, times) => this.#add(matches, hold, times));
  }

  /** Makes `to` believe that `from`, to which it is linked, has ended. */
  injectExited(from: PID, to: PID, reason: ExitReason = { kind: 'terminated' }): void {
    this.#runtime.cell(to.id)?.notifyExited(from, reason);
  }

  /** Ends it. Throws FORBIDDEN_EVENT if something came that must not. */
  dispose(): void {
    for (const rule of this.#rules) rule.seen.abandon();
    this.#rules = [];
    // Another may have been made since; then this one only lets everything through.
    if (this.#runtime.interceptor === this.#own) this.#runtime.interceptor = this.#previous;
    const came = this.#forbidden.splice(0);
    if (came.length > 0) throw new ProcessError('FORBIDDEN_EVENT', `Forbidden, and served: ${came.join(', ')}`);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #add(matches: Rule['matches'], act: Rule['act'], times = 1): Future<Intercepted<unknown>> {
    const rule: Rule = { matches, act, seen: new Deferred<Intercepted<unknown>>(), left: times };
    this.#rules.unshift(rule);
    return rule.seen.future;
  }

  #note(event: Event, to: PID): Verdict {
    this.#forbidden.push(`${event.kind} '${event.name}' from ${String(event.from ?? 'nobody')} to ${to.toString()}`);
    return 'serve';
  }

  #judge(event: Event, to: PID): Verdict {
    if (this.#released.has(event)) return 'serve';
    const rule = this.#rules.find((one) => one.matches(event, to));
    if (rule === undefined) return this.#previous?.(event, to) ?? 'serve';
    if (--rule.left === 0) this.#rules = this.#rules.filter((one) => one !== rule);
    rule.seen.set({ body: event.body, from: event.from, to });
    return rule.act(event, to);
  }
}

/** Begins to intercept what the runtime's processes serve. */
export function intercept(runtime: Runtime): Interception {
  return new Interception(runtime);
}

function concerns(event: Event, to: PID, match: Match): boolean {
  return (
    (match.from === undefined || same(match.from, event.from)) &&
    (match.to === undefined || same(match.to, to)) &&
    (match.where === undefined || match.where(event.body))
  );
}

function same(wanted: PID, found: PID | undefined): boolean {
  if (found === undefined) return false;
  return wanted.isExact ? wanted.equals(found) : wanted.id === found.id && wanted.node === found.node;
}
