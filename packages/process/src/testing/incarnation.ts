import { Deferred, type Future } from '../future/future.ts';
import type { Child, Children, Clock, Command, Platform, Signal, Timer } from '../platform/platform.ts';
import type { Machine } from './machine.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { SkewedClock } from './skewed-clock.ts';

/** Something of a node that goes on, unless the node is paused or over. */
interface Continuation {
  go(): unknown;
}

/**
 * One start of a node on its machine. When it is over, nothing of it goes on, as after kill -9: no timer fires, no answer
 * comes, and a write that was under way may have happened or not. The disk and the children are the machine's and stay.
 * While it is paused, as by SIGSTOP, whatever would go on waits.
 */
export class Incarnation {
  readonly platform: Platform;
  readonly clock: SkewedClock;
  readonly #files: SimulatedFiles;
  #over = false;
  /** What waits while it is paused. */
  #waiting: Continuation[] | undefined;

  constructor(machine: Machine, world: Clock, onTimer: (() => void) | undefined) {
    const skewed = new SkewedClock(world, machine.skew);
    this.clock = skewed;
    const clock: Clock = {
      now: () => skewed.now(),
      timer: (delay, thunk): Timer => {
        const timer = new NodeTimer(thunk);
        timer.armed = skewed.timer(delay, () => {
          if (!this.#over) onTimer?.();
          this.#go(timer);
        });
        return timer;
      },
    };
    const children: Children = {
      bootId: machine.children.bootId,
      spawn: (command: Command) => this.#relay(machine.children.spawn(command)).map((child) => this.#relayExit(child)),
      signalGroup: (pid: number, signal: Signal) => !this.#over && machine.children.signalGroup(pid, signal),
      startTime: (pid: number) => this.#relay(machine.children.startTime(pid)),
    };
    this.#files = new SimulatedFiles(clock, machine.files.disk, machine.files.random);
    this.platform = {
      clock,
      random: machine.random,
      files: this.#files,
      children,
      hardware: machine.hardware,
      loop: machine.loop,
      simulated: true,
    };
  }

  get paused(): boolean {
    return this.#waiting !== undefined;
  }

  pause(): void {
    this.#waiting ??= [];
  }

  resume(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const continuation of waiting ?? []) continuation.go();
  }

  end(): void {
    this.#over = true;
    this.#waiting = undefined;
    this.#files.abort();
  }

  #go(continuation: Continuation): void {
    if (this.#over) return;
    if (this.#waiting === undefined) continuation.go();
    else this.#waiting.push(continuation);
  }

  #relayExit(child: Child): Child {
    return { pid: child.pid, startTime: child.startTime, exited: this.#relay(child.exited) };
  }

  /** The outcome, if there is still somebody to take it. */
  #relay<T>(future: Future<T>): Future<T> {
    const relayed = new Deferred<T>(future);
    future.onReady((value) => this.#go({ go: () => relayed.set(value) }));
    future.onFailed((error) => this.#go({ go: () => relayed.fail(error) }));
    return relayed.future;
  }
}

/** A timer that may be due and still waits, because its node is paused. */
class NodeTimer implements Timer, Continuation {
  armed: Timer | undefined;
  #thunk: (() => void) | undefined;

  constructor(thunk: () => void) {
    this.#thunk = thunk;
  }

  go(): void {
    const thunk = this.#thunk;
    this.#thunk = undefined;
    thunk?.();
  }

  cancel(): boolean {
    const pending = this.#thunk !== undefined;
    this.#thunk = undefined;
    this.armed?.cancel();
    return pending;
  }
}
