import { Deferred, type Future } from '../future/future.ts';
import type { Children, Clock, Command, Child, Platform, Signal, Timer } from '../platform/platform.ts';
import { SimulatedFiles } from './simulated-files.ts';
import type { Machine } from './simulation.ts';

/**
 * One start of a node on its machine. When it is over, nothing of it goes on, as after kill -9: no timer fires, no write
 * that was under way takes effect, no answer comes. The disk and the children are the machine's and stay.
 */
export class Incarnation {
  readonly platform: Platform;
  #over = false;

  constructor(machine: Machine) {
    const clock: Clock = {
      now: () => machine.clock.now(),
      timer: (delay, thunk): Timer => machine.clock.timer(delay, () => void (this.#over || thunk())),
    };
    const children: Children = {
      bootId: machine.children.bootId,
      spawn: (command: Command) => this.#relay(machine.children.spawn(command)).map((child) => this.#relayExit(child)),
      signalGroup: (pid: number, signal: Signal) => !this.#over && machine.children.signalGroup(pid, signal),
      startTime: (pid: number) => this.#relay(machine.children.startTime(pid)),
    };
    this.platform = { ...machine, clock, files: new SimulatedFiles(clock, machine.files), children };
  }

  end(): void {
    this.#over = true;
  }

  #relayExit(child: Child): Child {
    return { pid: child.pid, startTime: child.startTime, exited: this.#relay(child.exited) };
  }

  /** The outcome, if there is still somebody to take it. */
  #relay<T>(future: Future<T>): Future<T> {
    const relayed = new Deferred<T>(future);
    future.onReady((value) => void (this.#over || relayed.set(value)));
    future.onFailed((error) => void (this.#over || relayed.fail(error)));
    return relayed.future;
  }
}
