#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander';
import { messageOf, parseDuration, Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { countWords, type Report } from './count-words.ts';
import { Display } from './display.ts';

interface Flags {
  readonly nats: string;
  readonly credentials?: string;
  readonly prefix: string;
  readonly cluster: string;
  readonly name: string;
  readonly input: string;
  readonly exclude: readonly string[];
  readonly jobFolder?: string;
  readonly manifest?: string;
  readonly shards: number;
  readonly resources: string;
  readonly failoverTimeout: number;
  readonly linkTimeout: number;
  readonly json?: boolean;
  readonly exitWithParent?: boolean;
}

const program = new Command('wordcount')
  .description('counts the words of a folder on a Mezzo cluster')
  .addOption(
    new Option('--nats <url>', 'NATS server, or several separated by commas')
      .env('NATS_URL')
      .default('nats://127.0.0.1:4222'),
  )
  .option('--credentials <file>', 'file with the nkey seed that the NATS server demands, or a .creds file')
  .option('--prefix <tokens>', 'first tokens of all subjects', 'mezzo')
  .option('--cluster <name>', 'name of the cluster', 'mezzo')
  .option('--name <node>', 'name of this node, unique in the cluster', `wordcount-${process.pid}`)
  .option('--input <folder>', 'whose text files are counted', '.')
  .option('--exclude <folder...>', 'folders that are left out', [])
  .option('--job-folder <folder>', 'where lists of files are kept while the job runs')
  .option('--manifest <file>', 'write the list of counted files there, each name ended by a NUL byte')
  .option('--shards <count>', 'number of tasks the work is cut into', wholeNumber, 300)
  .option('--resources <text>', 'what each task needs', 'cpus:0.5;mem:64')
  .option(
    '--failover-timeout <duration>',
    'how long the tasks of this framework are kept when it is gone',
    milliseconds,
    20_000,
  )
  .option('--link-timeout <duration>', 'a node that is silent for this long is lost', milliseconds, 5000)
  .option('--json', 'one JSON object a line: {"manifest":…}, {"progress":…}, and at last {"result":…} or {"error":…}')
  .option('--exit-with-parent', 'end when standard input ends')
  .allowExcessArguments(false)
  .parse();

process.exit(await main(program.opts<Flags>()));

async function main(flags: Flags): Promise<number> {
  const display = new Display(flags.json === true ? 'json' : process.stdout.isTTY ? 'bar' : 'plain');
  try {
    display.result(await run(flags, display));
    return 0;
  } catch (error) {
    display.error(messageOf(error));
    return 1;
  }
}

async function run(flags: Flags, display: Display): Promise<Report> {
  const { credentials, linkTimeout } = flags;
  await using runtime = await Runtime.start({
    name: flags.name,
    linkTimeout,
    heartbeatInterval: Math.min(linkTimeout / 4, 1000),
    transport: nats({
      servers: flags.nats,
      prefix: flags.prefix,
      ...(credentials === undefined
        ? {}
        : credentials.endsWith('.creds')
          ? { credentialsFile: credentials }
          : { nkeySeedFile: credentials }),
    }),
  });
  const abort = new AbortController();
  const abortWith = (why: string) => (): void => abort.abort(new Error(why));
  process.once('SIGINT', abortWith('Interrupted')).once('SIGTERM', abortWith('Terminated'));
  if (flags.exitWithParent === true) process.stdin.once('end', abortWith('The parent is gone')).resume();
  return await countWords(runtime, {
    ...flags,
    ...(flags.manifest === undefined ? {} : { manifestFile: flags.manifest }),
    signal: abort.signal,
    onManifest: (manifest) => display.manifest(manifest),
    onProgress: (progress) => display.progress(progress),
  });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError(`'${text}' is not a whole number from 1.`);
}

function milliseconds(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new InvalidArgumentError(`'${text}' is no duration: expected text such as 500ms, 2secs, 5mins.`);
  }
}
