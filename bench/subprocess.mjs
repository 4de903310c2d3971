import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A side that hangs must not hang the bench. Seconds. */
const defaultLimit = 120;

/** Runs one side in an OS process of its own, with these options of Node's, and gives what it printed. */
export async function side(file, parameters, { directory = 'sides', limit = defaultLimit, node = [] } = {}) {
  const child = start(file, parameters, directory, node);
  try {
    return await resultOf(child, file, limit);
  } finally {
    child.kill('SIGKILL');
  }
}

/** The same for a side that takes two: a receiver, and the sender that measures. `cpu` is that of both, per operation. */
export async function pair(file, parameters) {
  const receiver = start(file, ['receive', ...parameters], 'sides', []);
  const lines = linesOf(receiver, file, defaultLimit);
  try {
    await lines.first((line) => line === 'ready');
    const { operations, cpu: sending, ...result } = await side(file, ['send', ...parameters]);
    receiver.kill('SIGTERM');
    const { cpu: receiving } = JSON.parse(await lines.first(isResult));
    return { ...result, cpu: { sender: sending / operations, receiver: receiving / operations } };
  } finally {
    receiver.kill('SIGKILL');
  }
}

function start(file, parameters, directory, node) {
  const path = fileURLToPath(new URL(`${directory}/${file}`, import.meta.url));
  return spawn(process.execPath, ['--expose-gc', ...node, path, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function resultOf(child, file, limit) {
  return JSON.parse(await linesOf(child, file, limit).first(isResult));
}

function isResult(line) {
  return line.startsWith('{');
}

function linesOf(child, file, limit) {
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code} before it gave a result`);
  });
  failed.catch(() => undefined);
  const late = new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`${file} gave no result within ${limit} s`)), limit * 1000).unref();
  });
  late.catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (wanted) => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) return failed;
      if (wanted(value)) return value;
    }
  };
  return { first: (wanted) => Promise.race([next(wanted), failed, late]) };
}
