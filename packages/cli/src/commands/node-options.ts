import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '@mezzo/process';
import type { NodeProcessOptions } from '../node-process.ts';

/** The options that every command has that makes this OS process a node. */
export interface NodeFlags {
  readonly name?: string;
  readonly nats: string;
  readonly natsSeed?: string;
  readonly prefix: string;
  readonly cluster: string;
  readonly port: number;
  readonly logLevel: string;
  readonly linkTimeout: number;
  readonly exitWithParent?: boolean;
}

/** Of those that speak to the broker without being a node. */
export function addBrokerOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--nats <url>', 'NATS server, or several separated by commas')
        .env('NATS_URL')
        .default('nats://127.0.0.1:4222'),
    )
    .addOption(
      new Option('--nats-seed <file>', 'file with the nkey seed that the NATS server demands').env('NATS_SEED_FILE'),
    )
    .option('--prefix <tokens>', 'first tokens of all subjects', 'mezzo')
    .option('--cluster <name>', 'name of the cluster', 'mezzo');
}

export function addNodeOptions(command: Command, defaultPort: number): Command {
  return addBrokerOptions(command.option('--name <name>', 'name of this node, unique in the cluster'))
    .option(
      '--port <port>',
      'port of the HTTP server on 127.0.0.1, 0 for a free one',
      wholeNumber(0, 65_535),
      defaultPort,
    )
    .option('--log-level <level>', 'debug, info, warn, error or silent', 'info')
    .option('--link-timeout <duration>', 'a node that is silent for this long is lost', parseMilliseconds, 5000)
    .option('--exit-with-parent', 'end when standard input ends');
}

export function nodeProcessOptions(flags: NodeFlags, defaultName: string): NodeProcessOptions {
  const { name = defaultName, nats, prefix, port, logLevel, linkTimeout } = flags;
  return {
    ...{ name, nats, prefix, port, logLevel, linkTimeout },
    heartbeatInterval: Math.min(linkTimeout / 4, 1000),
    ...(flags.natsSeed === undefined ? {} : { natsSeed: flags.natsSeed }),
    ...(flags.exitWithParent === undefined ? {} : { exitWithParent: flags.exitWithParent }),
  };
}

/** A parser for whole numbers in a range, for commander. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `from ${least}`;
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`'${text}' is not a whole number ${range}.`);
  };
}

export function parseMilliseconds(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new InvalidArgumentError(`'${text}' is no duration: expected text such as 500ms, 2secs, 5mins.`);
  }
}
