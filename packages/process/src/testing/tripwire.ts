/* oxlint-disable no-restricted-imports, no-restricted-globals -- to forbid them in simulated turns it must hold them */
import childProcess from 'node:child_process';
import crypto from 'node:crypto';
import dns from 'node:dns';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { Cell } from '../cell.ts';
import { ProcessError } from '../errors.ts';
import type { Subscription } from '../transport.ts';
import { currentOwner } from '../turn.ts';

type Anything = (...given: unknown[]) => unknown;

/** What reads the real clock, draws real chance, or touches the outside; by the object that has it. */
const forbidden: readonly (readonly [name: string, holder: object, functions: readonly string[]])[] = [
  ['Math', Math, ['random']],
  ['performance', performance, ['now']],
  ['', globalThis, ['setTimeout', 'setInterval', 'setImmediate', 'fetch']],
  ['crypto', globalThis.crypto, ['randomUUID', 'getRandomValues']],
  ['crypto', crypto, ['randomBytes', 'randomUUID', 'randomInt', 'randomFillSync']],
  ['fs', fs, ['openSync', 'readFileSync', 'writeFileSync', 'appendFileSync', 'statSync', 'readdirSync', 'existsSync']],
  [
    'fs',
    fs,
    ['open', 'readFile', 'writeFile', 'appendFile', 'stat', 'readdir', 'createReadStream', 'createWriteStream'],
  ],
  [
    'fs.promises',
    fs.promises,
    ['open', 'readFile', 'writeFile', 'appendFile', 'stat', 'readdir', 'mkdir', 'rm', 'rename'],
  ],
  ['net', net, ['connect', 'createConnection', 'createServer']],
  ['dns', dns, ['lookup', 'resolve']],
  ['child_process', childProcess, ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork']],
];

let armed = 0;
let restore: (() => void) | undefined;

/**
 * From now on, until cancelled, a simulated process that reads the real clock, draws real chance, or touches real timers,
 * files, sockets or children in its turn crashes with OUTSIDE_THE_SEAM: its history would not repeat. Everybody else goes
 * on as before.
 */
export function armTripwire(): Subscription {
  if (armed++ === 0) restore = patch();
  let open = true;
  return {
    cancel() {
      if (!open) return;
      open = false;
      if (--armed === 0) restore?.();
    },
  };
}

function check(what: string): void {
  const owner = currentOwner();
  if (!(owner instanceof Cell) || !owner.runtime.platform.simulated) return;
  throw new ProcessError(
    'OUTSIDE_THE_SEAM',
    `${what} in a turn of simulated process ${owner.pid.toString()}: ask the runtime (this.clock, this.random, this.delay, runtime.files, runtime.children)`,
  );
}

function patch(): () => void {
  const undo: (() => void)[] = [];
  const replace = (holder: object, name: string, value: unknown): void => {
    const original: unknown = Reflect.get(holder, name);
    const own = Object.getOwnPropertyDescriptor(holder, name);
    Object.defineProperty(holder, name, {
      value,
      configurable: true,
      writable: true,
      enumerable: own?.enumerable ?? true,
    });
    undo.push(() => {
      if (own === undefined) Reflect.deleteProperty(holder, name);
      else Object.defineProperty(holder, name, own.get === undefined ? { ...own, value: original } : own);
    });
  };
  for (const [holderName, holder, functions] of forbidden) {
    for (const name of functions) {
      const original: unknown = Reflect.get(holder, name);
      if (typeof original !== 'function') continue;
      const call = `${holderName === '' ? '' : `${holderName}.`}${name}()`;
      const guarded = function (this: unknown, ...given: unknown[]): unknown {
        check(call);
        return Reflect.apply(original as Anything, this, given);
      };
      // promisify and others look for what hangs on the function.
      replace(holder, name, Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original)));
    }
  }
  replace(globalThis, 'Date', guardedDate(Date));
  syncBuiltinESMExports();
  return () => {
    for (const step of undo.reverse()) step();
    syncBuiltinESMExports();
  };
}

/** A date of a given time is a value; only the present is the outside. */
function guardedDate(original: DateConstructor): DateConstructor {
  const now = (): number => {
    check('Date.now()');
    return original.now();
  };
  return new Proxy(original, {
    construct(target, given, newTarget): object {
      if (given.length === 0) check('new Date()');
      return Reflect.construct(target, given, newTarget) as object;
    },
    apply(target, self, given): unknown {
      check('Date()');
      return Reflect.apply(target, self, given);
    },
    get: (target, name, receiver): unknown => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  });
}
