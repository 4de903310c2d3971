import { Future, messageOf, ProcessError } from '@mezzo/process';
import type { FencedLog } from '@mezzo/process/log';
import { compareTerms, type RegistryContents, type Term } from '@mezzo/protocol';
import { version } from '../version.ts';
import { checkContents, encodeSnapshot, readRegistry } from './registry-codec.ts';
import type { RegistryState } from './registry-state.ts';

/** Grows when older versions would misunderstand the file. */
const backupFormat = 1;
const backupKind = 'mezzo registry backup';

export interface RestoreOptions {
  /** Also in place of what is there. Default false. */
  readonly force?: boolean;
}

/**
 * The registry as a JSON file for people and `restoreRegistry`. The cluster may go on meanwhile: it is the state at one
 * moment. FAILED as `FencedLog.read`, and with LOG_CORRUPT or LOG_VERSION for records that cannot be read.
 */
export function backupRegistry(log: FencedLog): Future<string> {
  return log.read().map((contents) => {
    const backup = { kind: backupKind, format: backupFormat, version, registry: readRegistry(contents).contents() };
    return `${JSON.stringify(backup, undefined, 2)}\n`;
  });
}

/**
 * Puts what `backupRegistry` made into a log, as a whole or not at all. The master that wrote to the log can write no more,
 * and ends at its next attempt; the next one recovers the backup. Do it while no master leads, so that none is admitting
 * agents that the backup does not know.
 *
 * FAILED with STATE_INVALID if the log is not empty and `force` is not set, with LOG_CORRUPT for what is no backup, with
 * LOG_VERSION for one of a newer version, with LOG_FENCED if a master wrote meanwhile.
 */
export function restoreRegistry(
  log: FencedLog,
  backup: string,
  options: RestoreOptions = {},
): Future<RegistryContents> {
  let given: RegistryContents;
  try {
    given = parse(backup);
  } catch (error) {
    return Future.failed(error);
  }
  return log.read().andThen((contents) => {
    if (contents.last > 0 && options.force !== true) {
      return Future.failed<RegistryContents>(
        new ProcessError(
          'STATE_INVALID',
          `The registry is not empty: back it up, then restore with force in its place`,
        ),
      );
    }
    const { master: _, term: givenTerm, ...rest } = given;
    // No master whose term has passed already may recover this.
    const term = newest(
      givenTerm,
      termIn(() => readRegistry(contents)),
    );
    const restored: RegistryContents = { ...rest, ...(term === undefined ? undefined : { term }) };
    return log.snapshot(contents.last, encodeSnapshot(restored)).map(() => restored);
  });
}

function parse(text: string): RegistryContents {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProcessError('LOG_CORRUPT', `The backup is no JSON: ${messageOf(error)}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Reflect.get(value, 'kind') !== backupKind) {
    throw new ProcessError(
      'LOG_CORRUPT',
      `This is no backup of a registry: expected JSON whose kind is '${backupKind}'`,
    );
  }
  const format: unknown = Reflect.get(value, 'format');
  if (format !== backupFormat) {
    throw new ProcessError(
      'LOG_VERSION',
      `The backup has format ${String(format)}, written by version ${String(Reflect.get(value, 'version'))}; this is ${version} and knows format ${backupFormat}`,
    );
  }
  return checkContents(Reflect.get(value, 'registry'), 'The backup');
}

/** A registry that cannot be read is replaced all the same: that is what backups are for. */
function termIn(read: () => RegistryState): Term | undefined {
  try {
    return read().term;
  } catch (error) {
    if (error instanceof ProcessError) return undefined;
    throw error;
  }
}

function newest(a: Term | undefined, b: Term | undefined): Term | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareTerms(a, b) > 0 ? a : b;
}
