import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A side that hangs must not hang the bench. */
const limit = 120_000;

/** Runs one side in an OS process of its own and gives the number it printed. */
export async function side(file, parameters) {
  const child = start(file, parameters);
  try {
    return await valueOf(child, file);
  } finally {
    child.kill('SIGKILL');
  }
}

/** The same for a side that takes two: a receiver, and the sender that measures. */
export async function pair(file, parameters) {
  const receiver = start(file, ['receive', ...parameters]);
  try {
    await firstLine(receiver, file, (line) => line === 'ready');
    return await side(file, ['send', ...parameters]);
  } finally {
    receiver.kill('SIGKILL');
  }
}

function start(file, parameters) {
  const path = fileURLToPath(new URL(`sides/${file}`, import.meta.url));
  return spawn(process.execPath, ['--expose-gc', path, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function valueOf(child, file) {
  const line = await firstLine(child, file, (text) => text.startsWith('{'));
  return JSON.parse(line).value;
}

async function firstLine(child, file, wanted) {
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code} before it gave a result`);
  });
  const late = new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`${file} gave no result within ${limit / 1000} s`)), limit).unref();
  });
  const found = (async () => {
    for await (const line of createInterface({ input: child.stdout })) if (wanted(line)) return line;
    return failed;
  })();
  failed.catch(() => undefined);
  return Promise.race([found, failed, late]);
}
