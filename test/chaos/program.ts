import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { root } from '../support/command.ts';
import type { Machine } from './machines.ts';

/** A program that is started, killed and started again with the same arguments. */
export class Program {
  readonly name: string;
  readonly machine: Machine;
  /** What it writes, all its lives one after the other. */
  readonly log: string;
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;

  constructor(name: string, machine: Machine, log: string, command: readonly string[]) {
    this.name = name;
    this.machine = machine;
    this.log = log;
    this.#command = command;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.running) throw new Error(`${this.name} does not run`);
    return pid;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  start(): void {
    if (this.running) throw new Error(`${this.name} runs already`);
    const [file = '', ...args] = [...this.machine.prefix, ...this.#command];
    const log = openSync(this.log, 'a');
    // Its standard input is its lifeline: nodes end with whoever started them.
    this.#child = spawn(file, args, { cwd: root, stdio: ['pipe', log, log] });
    this.#child.on('error', () => undefined);
    closeSync(log);
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** SIGKILL; returns once it is gone. Nothing if it does not run. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** The end of its log, to tell why something failed. */
  tail(characters = 400): string {
    try {
      return readFileSync(this.log, 'utf8').slice(-characters);
    } catch {
      return '';
    }
  }
}
