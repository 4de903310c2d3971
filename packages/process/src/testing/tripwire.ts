/* oxlint-disable no-restricted-imports, no-restricted-globals -- to forbid them in simulated turns it must hold them */
import childProcess from 'node:child_process';
import crypto from 'node:crypto';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import tls from 'node:tls';
import workerThreads from 'node:worker_threads';
import zlib from 'node:zlib';
import { Cell } from '../cell.ts';
import { ProcessError } from '../errors.ts';
import type { Subscription } from '../transport.ts';
import { currentOwner } from '../turn.ts';

type Anything = (...given: unknown[]) => unknown;

const timerFunctions = ['setTimeout', 'setInterval', 'setImmediate'];
const connecting = [
  'request',
  'get',
  'connect',
  'createServer',
  'createSecureServer',
  'createConnection',
  'createSocket',
];

/**
 * What reads the real clock, draws real chance, or touches the outside, by the object that has it. Constructors count as
 * functions. What is pure (hashes, sync compression) or runs in the same turn or the next (queueMicrotask) stays.
 */
const forbidden: readonly (readonly [name: string, holder: object, functions: readonly string[]])[] = [
  ['Math', Math, ['random']],
  ['performance', performance, ['now']],
  ['process', process, ['hrtime', 'uptime', 'cpuUsage', 'memoryUsage', 'kill']],
  ['process.hrtime', process.hrtime, ['bigint']],
  ['', globalThis, [...timerFunctions, 'fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'MessageChannel']],
  ['timers', timers, timerFunctions],
  ['timers.promises', timersPromises, timerFunctions],
  ['AbortSignal', AbortSignal, ['timeout']],
  ['crypto', globalThis.crypto, ['randomUUID', 'getRandomValues']],
  ['crypto', crypto, functionsOf(crypto, /^(random|generate|pbkdf2$|scrypt$|hkdf$)/)],
  ['fs', fs, functionsOf(fs, /^[a-z]/)],
  ['fs.promises', fs.promises, functionsOf(fs.promises, /^[a-z]/)],
  ['net', net, connecting],
  ['tls', tls, connecting],
  ['http', http, connecting],
  ['https', https, connecting],
  ['http2', http2, connecting],
  ['dgram', dgram, connecting],
  ['dns', dns, functionsOf(dns, /^(lookup|resolve|reverse)/)],
  ['dns.promises', dns.promises, functionsOf(dns.promises, /^(lookup|resolve|reverse)/)],
  ['child_process', childProcess, functionsOf(childProcess, /^[a-z]/)],
  ['worker_threads', workerThreads, ['Worker', 'BroadcastChannel', 'MessageChannel']],
  ['zlib', zlib, functionsOf(zlib, /^(?!create|crc32)[a-z].*(?<!Sync)$/)],
  ['os', os, functionsOf(os, /^[a-z]/)],
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
  // They may be files, whose writer takes what fs has when it is first asked for.
  void [process.stdout, process.stderr];
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
      replace(holder, name, guarded(original as Anything, call));
    }
  }
  replace(globalThis, 'Date', guardedDate(Date));
  syncBuiltinESMExports();
  return () => {
    for (const step of undo.reverse()) step();
    syncBuiltinESMExports();
  };
}

function functionsOf(holder: object, named: RegExp): readonly string[] {
  return Object.keys(holder).filter((name) => named.test(name));
}

function guarded(original: Anything, call: string): Anything {
  return new Proxy(original, {
    apply(target, self, given): unknown {
      check(call);
      return Reflect.apply(target, self, given);
    },
    construct(target, given, newTarget): object {
      check(`new ${call}`);
      return Reflect.construct(target, given, newTarget) as object;
    },
  });
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
