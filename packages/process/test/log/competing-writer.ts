// Appends so many entries of its own to the log in a folder, against others who do the same, and prints the sequences of those that
// were confirmed. Of an append whose outcome was not known, reading tells; its sequence is not printed.
import { nodePlatform, ProcessError } from '@mezzo/process';
import { fileLog } from '@mezzo/process/log';

const [folder = '', name = '', count = '0'] = process.argv.slice(2);
const log = fileLog(nodePlatform().files, folder);
const confirmed: number[] = [];
const counts = new Map<string, number>();

/** How many entries of each writer there are: the snapshot's, and those after it. */
async function look(): Promise<number> {
  const { snapshot, entries, last } = await log.read();
  counts.clear();
  const state: [string, number][] = snapshot ? JSON.parse(new TextDecoder().decode(snapshot.state)) : [];
  for (const [writer, number] of state) counts.set(writer, number);
  for (const { records } of entries) {
    const writer = new TextDecoder().decode(records[0]);
    counts.set(writer, (counts.get(writer) ?? 0) + 1);
  }
  return last;
}

for (let last = await look(); (counts.get(name) ?? 0) < Number(count);) {
  try {
    if (last % 10 === 9) last = await log.snapshot(last, new TextEncoder().encode(JSON.stringify([...counts])));
    last = await log.append(last, [new TextEncoder().encode(name)]);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    confirmed.push(last);
  } catch (error) {
    if (!(error instanceof ProcessError && (error.code === 'LOG_FENCED' || error.code === 'LOG_UNAVAILABLE')))
      throw error;
    last = await look();
  }
}
process.stdout.write(JSON.stringify(confirmed));
