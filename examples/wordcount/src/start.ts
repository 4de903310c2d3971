#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LocalCluster, startLocalCluster } from '@mezzo/cli';
import { messageOf, Runtime } from '@mezzo/process';
import { Command, InvalidArgumentError } from 'commander';
import { countWords, type Report } from './count-words.ts';
import { Display } from './display.ts';
import type { Progress } from './word-count-scheduler.ts';

interface Flags {
  readonly input: string;
  readonly agents: number;
  readonly port: number;
  readonly shards: number;
  readonly exit?: boolean;
  readonly json?: boolean;
  readonly embedded?: boolean;
  readonly manifest?: string;
}

/** Version control's own files change while other programs work in the checkout. */
const versionControl = '.git';
const checkout = fileURLToPath(new URL('../../..', import.meta.url));

const program = new Command('npm start --')
  .description('starts a cluster on this machine and counts the words of a folder on it')
  .option('--input <folder>', 'whose text files are counted', checkout)
  .option('--agents <count>', 'number of agents', wholeNumber(1), 3)
  .option('--port <port>', 'port of the web page, 0 for a free one', wholeNumber(0, 65_535), 5050)
  .option('--shards <count>', 'number of tasks the work is cut into', wholeNumber(1), 300)
  .option('--exit', 'stop the cluster when the job is done')
  .option('--json', 'the last line of standard output is one JSON object')
  .option('--manifest <file>', 'write the list of counted files there, each name ended by a NUL byte')
  .option('--embedded', 'no NATS server: everything in one OS process')
  .allowExcessArguments(false)
  .parse();

process.exit(await main(program.opts<Flags>()));

async function main(flags: Flags): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`mezzo: ${line}\n`);
  const interrupt = new AbortController();
  const abortWith = (why: string) => (): void => interrupt.abort(new Error(why));
  process.once('SIGINT', abortWith('Interrupted')).once('SIGTERM', abortWith('Terminated'));
  let cluster: LocalCluster;
  try {
    const { agents, port, embedded = false } = flags;
    cluster = await startLocalCluster({ agents, port, embedded, report: say });
  } catch (error) {
    say(messageOf(error));
    return 1;
  }
  try {
    if (interrupt.signal.aborted) return 1;
    return await work(flags, cluster, interrupt.signal, say);
  } finally {
    await cluster.stop();
  }
}

async function work(
  flags: Flags,
  cluster: LocalCluster,
  interrupt: AbortSignal,
  say: (line: string) => void,
): Promise<number> {
  say(`${flags.agents} agents and a master run; web page ${cluster.url}`);
  // With --json people's lines go to standard error, so that the last line of standard output is the result.
  const output = flags.json === true ? process.stderr : process.stdout;
  const display = new Display(output.isTTY ? 'bar' : 'plain', (text) => void output.write(text));
  let report: Report;
  try {
    report =
      cluster.nats === undefined
        ? await countHere(flags, cluster, display, interrupt)
        : await countInProcess(flags, cluster, display, interrupt);
  } catch (error) {
    display.error(messageOf(error));
    return 1;
  }
  display.result(report);
  const stays = flags.exit !== true && !interrupt.aborted;
  if (stays) output.write(`\nThe cluster stays up: ${cluster.url}  (Ctrl-C stops it)\n`);
  if (flags.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  if (stays) await new Promise((done) => interrupt.addEventListener('abort', done));
  return 0;
}

/** The framework as an OS process of its own, as any framework would be. */
async function countInProcess(
  flags: Flags,
  cluster: LocalCluster,
  display: Display,
  interrupt: AbortSignal,
): Promise<Report> {
  const { nats } = cluster;
  if (nats === undefined) throw new Error('There is no NATS server');
  const child = spawn(
    process.execPath,
    [
      ...[fileURLToPath(new URL('./main.js', import.meta.url)), '--json', '--exit-with-parent'],
      ...['--nats', nats.url, ...(nats.seedFile === undefined ? [] : ['--credentials', nats.seedFile])],
      ...['--prefix', cluster.cluster, '--cluster', cluster.cluster, '--job-folder', cluster.directory],
      ...['--input', resolve(flags.input), '--exclude', ...leftOut(flags, cluster), '--shards', String(flags.shards)],
      ...(flags.manifest === undefined ? [] : ['--manifest', resolve(flags.manifest)]),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const tearDown = (): void => void child.stdin.end();
  interrupt.addEventListener('abort', tearDown);
  const exited = new Promise<string>((done) => {
    child.once('exit', (code, signal) => done(signal ?? `exit code ${code ?? 0}`));
    child.once('error', (error) => done(error.message));
  });
  let report: Report | undefined;
  let failure: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as Said;
    if (said.manifest !== undefined) display.manifest(said.manifest);
    if (said.progress !== undefined) display.progress(said.progress);
    if (said.result !== undefined) report = said.result;
    if (said.error !== undefined) failure = said.error;
  }
  const how = await exited;
  interrupt.removeEventListener('abort', tearDown);
  if (report !== undefined) return report;
  interrupt.throwIfAborted();
  throw new Error(failure ?? `the framework ended without a result (${how})`);
}

function leftOut({ input }: Flags, { directory }: LocalCluster): string[] {
  return [directory, resolve(input, versionControl)];
}

/** What main.ts writes, a line each. */
interface Said {
  readonly manifest?: { readonly files: number; readonly bytes: number; readonly shards: number };
  readonly progress?: Progress;
  readonly result?: Report;
  readonly error?: string;
}

/** The framework in this OS process, beside master and agents. */
async function countHere(flags: Flags, cluster: LocalCluster, display: Display, signal: AbortSignal): Promise<Report> {
  await using runtime = await Runtime.start({ name: 'wordcount', transport: cluster.transport() });
  return await countWords(runtime, {
    cluster: cluster.cluster,
    input: resolve(flags.input),
    exclude: leftOut(flags, cluster),
    shards: flags.shards,
    jobFolder: cluster.directory,
    ...(flags.manifest === undefined ? {} : { manifestFile: resolve(flags.manifest) }),
    signal,
    onManifest: (manifest) => display.manifest(manifest),
    onProgress: (progress) => display.progress(progress),
  });
}

function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `'${text}' is not a whole number from ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''}.`,
    );
  };
}
