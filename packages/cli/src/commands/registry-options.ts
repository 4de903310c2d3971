import { isAbsolute, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Files, nodePlatform } from '@mezzo/process';
import { jetStreamLease, jetStreamLog, type JetStreamLease, type JetStreamOptions } from '@mezzo/process/jetstream';
import { type FencedLog, fileLog, memoryLog } from '@mezzo/process/log';
import type { NodeFlags } from './node-options.ts';
import { wholeNumber } from './node-options.ts';

/** Where a registry is, and how the masters that share it agree on who leads. */
export type RegistryPlace =
  | { readonly kind: 'memory' }
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'jetstream' };

export interface RegistryFlags {
  readonly registry: RegistryPlace;
  readonly replicas?: 1 | 3 | 5;
}

export function addRegistryOptions(command: Command): Command {
  return command
    .option(
      '--registry <place>',
      'where what must survive the master is stored: memory, a folder, or jetstream',
      parsePlace,
      { kind: 'memory' },
    )
    .option('--replicas <count>', 'servers that hold a copy, with jetstream: 1, 3 or 5', parseReplicas);
}

/** A folder is one that says so: a word alone would be a mistyped `jetstream` as often. */
function parsePlace(text: string): RegistryPlace {
  if (text === 'memory' || text === 'in_memory') return { kind: 'memory' };
  if (text === 'jetstream') return { kind: 'jetstream' };
  if (isAbsolute(text) || text.startsWith('./') || text.startsWith('../'))
    return { kind: 'folder', folder: resolve(text) };
  throw new InvalidArgumentError(`'${text}' is no place: expected memory, jetstream, or a folder such as ./registry.`);
}

function parseReplicas(text: string): 1 | 3 | 5 {
  const count = wholeNumber(1, 5)(text);
  if (count === 1 || count === 3 || count === 5) return count;
  throw new InvalidArgumentError(`'${text}' is no number of replicas: expected 1, 3 or 5.`);
}

type BrokerFlags = Pick<NodeFlags, 'nats' | 'natsSeed' | 'prefix' | 'cluster'>;

/** The log that a cluster's registry is in. Whoever opened it closes it. */
export function openRegistry(flags: BrokerFlags & RegistryFlags, files: Files = nodePlatform().files): FencedLog {
  const { registry, cluster } = flags;
  switch (registry.kind) {
    case 'memory':
      return memoryLog();
    case 'folder':
      return fileLog(files, registry.folder);
    case 'jetstream':
      return jetStreamLog({ ...broker(flags), stream: nameOf(cluster, 'registry') });
  }
}

/** What the masters of a cluster share to agree on who leads. */
export function openLease(flags: BrokerFlags & RegistryFlags): JetStreamLease {
  return jetStreamLease({ ...broker(flags), bucket: nameOf(flags.cluster, 'election'), key: 'leader' });
}

function broker({ nats, natsSeed, prefix, replicas }: BrokerFlags & RegistryFlags): JetStreamOptions {
  return {
    servers: nats.split(','),
    prefix,
    ...(natsSeed === undefined ? {} : { nkeySeedFile: natsSeed }),
    ...(replicas === undefined ? {} : { replicas }),
  };
}

/** Streams may have letters, digits, `-` and `_` in their names only. */
function nameOf(cluster: string, what: string): string {
  return `mezzo_${cluster.replace(/[^A-Za-z0-9_-]/g, '-')}_${what}`;
}
