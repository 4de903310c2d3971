#!/usr/bin/env node
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Broker, type LocalCluster, startLocalCluster } from '@mezzo/cli';
import { messageOf, Runtime } from '@mezzo/process';
import { Command, InvalidArgumentError } from 'commander';
import { countWords, type Report } from './count-words.ts';
import { Display } from './display.ts';
import { runFramework } from './framework-process.ts';

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

/** The cluster cannot go on. */
class ClusterBroken extends Error {}

process.exit(await main(program.opts<Flags>()));

async function main(flags: Flags): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`mezzo: ${line}\n`);
  const interrupt = new AbortController();
  const { signal } = interrupt;
  const abortWith = (why: string) => (): void => interrupt.abort(new Error(why));
  process.once('SIGINT', abortWith('Interrupted')).once('SIGTERM', abortWith('Terminated'));
  let cluster: LocalCluster;
  try {
    const { agents, port, embedded = false } = flags;
    cluster = await startLocalCluster({ agents, port, embedded, report: say, signal });
  } catch (error) {
    say(messageOf(error));
    return 1;
  }
  void cluster.broken.then((why) => interrupt.abort(new ClusterBroken(why)));
  try {
    return await work(flags, cluster, signal, say);
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
        : await runFramework(frameworkArguments(flags, cluster, cluster.nats), display, interrupt);
  } catch (error) {
    display.error(messageOf(error));
    return 1;
  }
  display.result(report);
  const stays = flags.exit !== true && !interrupt.aborted;
  if (stays) output.write(`\nThe cluster stays up: ${cluster.url}  (Ctrl-C stops it)\n`);
  if (flags.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  if (stays) await new Promise((done) => interrupt.addEventListener('abort', done));
  if (!(interrupt.reason instanceof ClusterBroken)) return 0;
  say(interrupt.reason.message);
  return 1;
}

/** The framework is an OS process of its own, as any framework would be. */
function frameworkArguments(flags: Flags, cluster: LocalCluster, { url, seedFile }: Broker): readonly string[] {
  return [
    ...['--nats', url, ...(seedFile === undefined ? [] : ['--credentials', seedFile])],
    ...['--prefix', cluster.cluster, '--cluster', cluster.cluster, '--job-folder', cluster.directory],
    ...['--input', pathOf(flags.input), '--exclude', ...leftOut(flags, cluster), '--shards', String(flags.shards)],
    ...(flags.manifest === undefined ? [] : ['--manifest', pathOf(flags.manifest)]),
  ];
}

/** npm runs its scripts in the checkout; the user meant the folder they are in. */
function pathOf(given: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', given);
}

function leftOut(flags: Flags, { directory }: LocalCluster): string[] {
  return [directory, resolve(pathOf(flags.input), versionControl)];
}

/** The framework in this OS process, beside master and agents. */
async function countHere(flags: Flags, cluster: LocalCluster, display: Display, signal: AbortSignal): Promise<Report> {
  await using runtime = await Runtime.start({ name: 'wordcount', transport: cluster.transport() });
  return await countWords(runtime, {
    cluster: cluster.cluster,
    input: pathOf(flags.input),
    exclude: leftOut(flags, cluster),
    shards: flags.shards,
    jobFolder: cluster.directory,
    ...(flags.manifest === undefined ? {} : { manifestFile: pathOf(flags.manifest) }),
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
