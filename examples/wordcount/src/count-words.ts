import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { startScheduler } from '@mezzo/frameworks';
import { dispatch, type Duration, type Runtime, type Timer } from '@mezzo/process';
import { listTextFiles } from './manifest.ts';
import { plainListOf, ShardFolder } from './shard-folder.ts';
import { makeShards } from './shards.ts';
import { JobFailed, type Outcome, WordCountScheduler, type WordCountOptions } from './word-count-scheduler.ts';

export interface CountWordsOptions extends Omit<WordCountOptions, 'shards'> {
  readonly cluster: string;
  /** Folder whose text files are counted. */
  readonly input: string;
  /** Folders below it that are left out. Default none. */
  readonly exclude?: readonly string[];
  /** Into how many tasks the work is cut. Default 300. */
  readonly shards?: number;
  /** Where the lists of files are kept while the job runs; all agents must see it. Default: the system's temporary folder. */
  readonly jobFolder?: string;
  /** How long the cluster keeps the tasks of a framework that it cannot reach. Default 20 s. */
  readonly failoverTimeout?: Duration;
  /** How often tasks are asked about that have not ended. Default 30 s. */
  readonly reconciliationInterval?: Duration;
  /** Aborting it tears the framework down and fails the job with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the paths of the counted files, each ended by a NUL byte. */
  readonly manifestFile?: string;
  /** Told once the files are listed. */
  readonly onManifest?: (manifest: { readonly files: number; readonly bytes: number; readonly shards: number }) => void;
}

export interface Report extends Outcome {
  /** Files counted. */
  readonly files: number;
  /** Sum of their sizes when they were listed. */
  readonly bytes: number;
  readonly seconds: number;
}

/** Counts the words of a folder's text files on a cluster. Throws JobFailed, or whatever made the folder unreadable. */
export async function countWords(runtime: Runtime, options: CountWordsOptions): Promise<Report> {
  const start = runtime.clock.now();
  const manifest = await listTextFiles(options.input, options);
  if (options.manifestFile !== undefined) await writeFile(options.manifestFile, plainListOf(manifest.files));
  const shards = makeShards(manifest.files, options.shards ?? 300);
  const totals = { files: manifest.files.length, bytes: manifest.bytes };
  options.onManifest?.({ ...totals, shards: shards.length });
  await using folder = await ShardFolder.create(options.jobFolder ?? tmpdir(), shards);
  const outcome = await countShards(runtime, { ...options, shards: folder.tasks });
  return { ...totals, ...outcome, seconds: Math.round(runtime.clock.now() - start) / 1000 };
}

/** Milliseconds that a teardown may take. */
const teardownPatience = 5000;

/** Counts shards whose lists exist already. */
export async function countShards(
  runtime: Runtime,
  options: Pick<CountWordsOptions, 'cluster' | 'failoverTimeout' | 'reconciliationInterval' | 'signal'> &
    WordCountOptions,
): Promise<Outcome> {
  const { cluster, failoverTimeout = '20secs', reconciliationInterval = '30secs', signal } = options;
  signal?.throwIfAborted();
  const scheduler = new WordCountScheduler(options);
  const driver = startScheduler(runtime, {
    cluster,
    framework: { name: 'wordcount', failoverTimeout },
    scheduler,
    acknowledge: 'manual',
    registrationBackoffFactor: '500ms',
    reconciliationInterval,
  });
  const ended = runtime.wait(driver);
  const { promise: aborted, resolve: giveUp } = withResolvers();
  let timer: Timer | undefined;
  const tearDown = (): void => {
    void dispatch(driver, (it) => it.teardown());
    // Without a leader there is nobody to tell, now or ever.
    timer = runtime.clock.timer(teardownPatience, giveUp);
  };
  signal?.addEventListener('abort', tearDown);
  try {
    const outcome = await Promise.race([scheduler.outcome, ended.then(() => undefined), aborted]);
    if (outcome !== undefined) return outcome;
    signal?.throwIfAborted();
    throw new JobFailed('The scheduler ended before the job was done');
  } finally {
    signal?.removeEventListener('abort', tearDown);
    timer?.cancel();
    // The teardown must leave before the node does.
    if (signal?.aborted !== true) await runtime.wait(driver, { timeout: teardownPatience });
    runtime.terminate(driver);
  }
}

function withResolvers(): { readonly promise: Promise<undefined>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<undefined>((settle) => {
    resolve = () => settle(undefined);
  });
  return { promise, resolve };
}
