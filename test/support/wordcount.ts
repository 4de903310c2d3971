import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalCluster } from '@mezzo/cli';
import { expect } from 'chai';
import { type Running, start } from './command.ts';

/** What the job's last line says. */
export interface Report {
  readonly files: number;
  readonly bytes: number;
  readonly words: number;
  readonly distinct: number;
  readonly top: readonly (readonly [string, number])[];
  readonly tasks: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export interface Progress {
  readonly shards: {
    readonly total: number;
    readonly finished: number;
    readonly running: number;
    readonly staging: number;
  };
  readonly tasks: Readonly<Record<string, number>>;
}

/** A temporary folder with text in it: words from hashes, so that every run has the same ones. */
export async function makeText(
  files: number,
  bytesEach: number,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'mezzo-text-'));
  for (let file = 0; file < files; file++) {
    const folder = join(path, `folder ${file % 7}`);
    await mkdir(folder, { recursive: true });
    let text = '';
    for (let block = 0; text.length < bytesEach; block++) {
      const words = createHash('sha256')
        .update(`${file} ${block % 100}`)
        .digest('hex')
        .replace(/\d/g, ' ');
      text += `${words.repeat(20)}\n`;
    }
    // No newline at the end: a word must not grow together with the next file's first.
    await writeFile(join(folder, `file ${file}.txt`), text.slice(0, bytesEach));
  }
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** The framework as an OS process, counting `input` on the cluster. */
export class WordCountJob {
  readonly running: Running;
  readonly manifestFile: string;

  constructor(cluster: LocalCluster, input: string, given: readonly string[] = []) {
    const { nats } = cluster;
    if (nats === undefined) throw new Error('the cluster has no NATS server');
    this.manifestFile = join(cluster.directory, `manifest-${Math.random()}`);
    this.running = start('examples/wordcount/dist/main.js', [
      ...['--json', '--nats', nats.url, '--credentials', nats.seedFile ?? '', '--prefix', cluster.cluster],
      ...['--cluster', cluster.cluster, '--job-folder', cluster.directory, '--manifest', this.manifestFile],
      ...['--input', input, '--link-timeout', '4s', ...given],
    ]);
  }

  get progress(): Progress | undefined {
    return this.#said('progress') as Progress | undefined;
  }

  /** The result, which must be what one sequential pipeline over the same files gives. */
  async exactResult(): Promise<Report> {
    const { code, stderr } = await this.running.finished;
    expect(code, stderr).to.equal(0);
    const report = this.#said('result') as Report;
    expectSequential(report, this.manifestFile);
    return report;
  }

  #said(what: string): unknown {
    let last: unknown;
    for (const line of this.running.stdout().split('\n').slice(0, -1)) {
      const said = JSON.parse(line) as Record<string, unknown>;
      if (said[what] !== undefined) last = said[what];
    }
    return last;
  }
}

const sequential = `
xargs -0 -r sh -c 'grep -ohaE "[A-Za-z]+" "$@" || test $? = 1' grep < "$1" | tr A-Z a-z | sort | uniq -c | sort -k1,1nr -k2,2`;

/** Counts the manifest's files again, by one pipeline that shares nothing with the tasks', and compares. */
export function expectSequential(report: Report, manifestFile: string): void {
  const output = execFileSync('sh', ['-c', sequential, 'sequential', manifestFile], {
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    encoding: 'latin1',
    maxBuffer: 1 << 30,
  });
  const counts = output
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(' '));
  expect(report.distinct).to.equal(counts.length);
  expect(report.words).to.equal(counts.reduce((sum, [count]) => sum + Number(count), 0));
  expect(report.top).to.deep.equal(counts.slice(0, 20).map(([count, word]) => [word, Number(count)]));
}

/** The master's state, as its page reads it. */
export async function stateOf(cluster: LocalCluster): Promise<ClusterState> {
  const response = await fetch(`${cluster.url}/state`);
  return (await response.json()) as ClusterState;
}

export interface ClusterState {
  readonly slaves: readonly {
    readonly hostname: string;
    readonly active: boolean;
    readonly used_resources: Readonly<Record<string, unknown>>;
  }[];
  readonly frameworks: readonly {
    readonly name: string;
    readonly active: boolean;
    readonly tasks: readonly { readonly state: string }[];
  }[];
  readonly completed_frameworks: readonly { readonly name: string }[];
}
