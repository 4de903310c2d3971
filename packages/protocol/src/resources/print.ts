import { UNRESERVED } from '../roles.ts';
import type { DiskInfo, DiskSource } from './disk.ts';
import type { Label, Reservation } from './reservation.ts';
import type { Resource } from './resource.ts';
import { fromThousandths, toThousandths } from './scalar.ts';

// The printed form is Mesos's, with three differences: a single static reservation is written as `--resources` has it,
// `cpus(ads):1`; what Mesos keeps to itself is named; and words that would be mistaken are in quotes. So it can be read.

const BARE = /^[^\s:;,()[\]{}<>"]+$/;

/** The word itself, or in quotes as a JSON string where it would be mistaken for something else. */
export function wordText(word: string): string {
  return BARE.test(word) ? word : JSON.stringify(word);
}

export function textOfResource(resource: Resource): string {
  const { name, allocationRole, reservations = [], providerId, disk, revocable, shared } = resource;
  const parts = [
    wordText(name),
    allocationRole === undefined ? '' : `(allocated: ${wordText(allocationRole)})`,
    reservationsText(reservations),
    providerId === undefined ? '' : `(provider: ${wordText(providerId)})`,
    disk === undefined ? '' : `[${diskText(disk)}]`,
    revocable === true ? '{REV}' : '',
    shared === true ? '<SHARED>' : '',
  ];
  return `${parts.join('')}:${amountText(resource)}`;
}

function amountText(resource: Resource): string {
  switch (resource.type) {
    case 'SCALAR':
      return String(fromThousandths(toThousandths(resource.scalar)));
    case 'RANGES':
      return `[${resource.ranges.map(({ begin, end }) => `${begin}-${end}`).join(',')}]`;
    case 'SET':
      return `{${resource.set.map(wordText).join(',')}}`;
  }
}

function reservationsText(reservations: readonly Reservation[]): string {
  const [first] = reservations;
  if (first === undefined) return '';
  const isPlain = first.type === 'STATIC' && first.principal === undefined && first.labels === undefined;
  if (isPlain && reservations.length === 1 && first.role !== UNRESERVED) return `(${wordText(first.role)})`;
  return `(reservations: [${reservations.map(reservationText).join(', ')}])`;
}

function reservationText({ type, role, principal, labels }: Reservation): string {
  const parts = [type, wordText(role)];
  if (principal !== undefined) parts.push(wordText(principal));
  if (labels !== undefined && labels.length > 0) parts.push(labelsText(labels));
  return `(${parts.join(',')})`;
}

function labelsText(labels: readonly Label[]): string {
  const pairs = labels.map(({ key, value }) =>
    value === undefined ? wordText(key) : `${wordText(key)}: ${wordText(value)}`,
  );
  return `{${pairs.join(', ')}}`;
}

function diskText({ source, persistence, volume }: DiskInfo): string {
  const parts: string[] = [];
  if (source !== undefined) parts.push(sourceText(source));
  if (persistence !== undefined) {
    const { id, principal } = persistence;
    // In quotes where it would be taken for a source.
    const name = /^[A-Z]+$/.test(id) ? JSON.stringify(id) : wordText(id);
    const words = [principal === undefined ? name : `${name}(${wordText(principal)})`];
    if (volume !== undefined) {
      if (volume.hostPath !== undefined) words.push(wordText(volume.hostPath));
      words.push(wordText(volume.containerPath), volume.mode.toLowerCase());
    }
    parts.push(words.join(':'));
  }
  return parts.join(',');
}

function sourceText({ type, root, id, profile, vendor, metadata }: DiskSource): string {
  const fields: string[] = [];
  if (id !== undefined) fields.push(`id: ${wordText(id)}`);
  if (profile !== undefined) fields.push(`profile: ${wordText(profile)}`);
  if (vendor !== undefined) fields.push(`vendor: ${wordText(vendor)}`);
  if (metadata !== undefined && metadata.length > 0) fields.push(`metadata: ${labelsText(metadata)}`);
  const more = fields.length === 0 ? '' : `(${fields.join(', ')})`;
  return `${type}${more}${root === undefined ? '' : `:${wordText(root)}`}`;
}
