// What the registrar costs, with a log in memory and its master in the same runtime:
//   npx tsx --conditions mezzo:source packages/master/test/registrar/registrar-costs.ts
import { Runtime } from '@mezzo/process';
import { type FencedLog, memoryLog } from '@mezzo/process/log';
import { encodeSnapshot, readRegistry } from '../../src/registrar/registry-codec.ts';
import { Registrar } from '../../src/registrar/registrar.ts';
import { admission, SpeakingMaster } from './registrar-world.ts';

async function reign(
  name: string,
  log: FencedLog,
  revision: number,
): Promise<{ runtime: Runtime; master: SpeakingMaster }> {
  const runtime = await Runtime.start({ name });
  const registrar = runtime.spawn(new Registrar({ log }));
  const master = new SpeakingMaster(name, registrar, revision);
  runtime.spawn(master);
  return { runtime, master };
}

/** Milliseconds. */
async function timeOf(what: () => PromiseLike<unknown>): Promise<number> {
  const started = performance.now();
  await what();
  return performance.now() - started;
}

for (const count of [10_000, 50_000]) {
  const log = memoryLog();
  const first = await reign('first', log, 1);
  await first.master.recover();
  const admitted = await timeOf(async () => {
    const asked = Array.from({ length: count }, (_, n) => first.master.change(admission(n)));
    for (const answer of asked) await answer;
  });
  const operations = Array.from({ length: 2000 }, (_, n) => admission(count + n));
  const oneByOne = await timeOf(async () => {
    for (const operation of operations) await first.master.change(operation);
  });
  const contents = await log.read();
  const state = readRegistry(contents);
  const snapshot = encodeSnapshot(state.contents());
  const second = await reign('second', log, 2);
  const recovered = await timeOf(() => second.master.recover());
  const told = await timeOf(async () => second.runtime.http({ path: '/registrar/registry' }));
  const records = contents.entries.flatMap((entry) => entry.records);
  const bytes = records.reduce((sum, { length }) => sum + length, contents.snapshot?.state.length ?? 0);
  console.log(`${count} agents`, {
    'admissions a second, all at once': Math.round((count / admitted) * 1000),
    'admissions a second, one after the other': Math.round((2000 / oneByOne) * 1000),
    'bytes of an admission': records.at(-1)?.length,
    'records after the snapshot': records.length,
    'log, MB': Number((bytes / 1e6).toFixed(1)),
    'snapshot, MB': Number((snapshot.length / 1e6).toFixed(1)),
    'encoding a snapshot, ms': Math.round(await timeOf(async () => encodeSnapshot(state.contents()))),
    'recovery, ms': Math.round(recovered),
    '/registrar/registry, ms': Math.round(told),
  });
  await first.runtime.stop();
  await second.runtime.stop();
}
