import { messageOf } from '../errors.ts';
import type { Inspected } from '../inspection.ts';
import type { NetworkObserved } from '../network.ts';
import { PID } from '../pid.ts';
import { type Carried, summarize } from './frame-summary.ts';

/**
 * How much is recorded, each with what comes before it: nothing; what processes serve, how they begin and end, dead letters,
 * faults and notes; every frame; every timer.
 */
export type Detail = 'none' | 'events' | 'frames' | 'timers';

const details: readonly Detail[] = ['none', 'events', 'frames', 'timers'];

/** One thing that happened, at a virtual time in milliseconds since the world's beginning. */
export type HistoryRecord = { readonly at: number } & (
  | {
      readonly kind: 'served';
      readonly event: 'message' | 'dispatch' | 'exited' | 'terminate';
      readonly from: string;
      readonly to: string;
      readonly text: string;
    }
  /** A process began or ended, or a message found nobody. */
  | { readonly kind: 'process'; readonly pid: string; readonly text: string }
  | {
      readonly kind: 'frame';
      readonly from: string;
      readonly to: string;
      readonly text: string;
      readonly lost: string | undefined;
      readonly messages: readonly Carried[];
    }
  /** A fault, or what undoes it. */
  | { readonly kind: 'fault'; readonly text: string }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'timer'; readonly node: string }
);

/** Everything that happened in a simulated world, in order: the same text, byte for byte, for the same seed. */
export class History {
  readonly #records: HistoryRecord[] = [];
  #level: number;
  readonly #now: () => number;

  /** @param now milliseconds since the world's beginning. */
  constructor(detail: Detail, now: () => number) {
    this.#level = details.indexOf(detail);
    this.#now = now;
  }

  get records(): readonly HistoryRecord[] {
    return this.#records;
  }

  /** What happens from now on is not recorded. */
  close(): void {
    this.#level = 0;
  }

  has(detail: Detail): boolean {
    return this.#level >= details.indexOf(detail);
  }

  /** One line for each record. */
  get text(): string {
    let text = '';
    for (const record of this.#records) text += `${record.at.toFixed(3)} ${lineOf(record)}\n`;
    return text;
  }

  fault(text: string): void {
    if (this.has('events')) this.#records.push({ at: this.#now(), kind: 'fault', text });
  }

  note(text: string): void {
    if (this.has('events')) this.#records.push({ at: this.#now(), kind: 'note', text });
  }

  timer(node: string): void {
    if (this.has('timers')) this.#records.push({ at: this.#now(), kind: 'timer', node });
  }

  network(observed: NetworkObserved): void {
    if (observed.kind === 'change') return this.fault(observed.text);
    if (!this.has('frames')) return;
    const { from, to, topic, lost } = observed;
    const { text, messages } = topic === undefined ? summarize(observed.bytes) : { text: topic, messages: [] };
    this.#records.push({ at: this.#now(), kind: 'frame', from, to, text, lost, messages });
  }

  inspected(inspected: Inspected): void {
    if (!this.has('events')) return;
    const at = this.#now();
    switch (inspected.kind) {
      case 'begins': {
        const { pid, event } = inspected;
        const body = event.kind === 'message' || event.kind === 'exited' ? ` ${show(event.body)}` : '';
        const name = event.kind === 'message' ? event.name : `${event.kind}${event.name && ` ${event.name}`}`;
        const from = event.from === undefined || event.from.id === '' ? '' : event.from.toString();
        this.#records.push({ at, kind: 'served', event: event.kind, from, to: pid.toString(), text: name + body });
        return;
      }
      case 'spawned':
        this.#records.push({ at, kind: 'process', pid: inspected.pid.toString(), text: 'spawned' });
        return;
      case 'ended': {
        const { pid, reason } = inspected;
        this.#records.push({ at, kind: 'process', pid: pid.toString(), text: `ended ${show(reason)}` });
        return;
      }
      case 'dead-letter': {
        const { name, reason, to } = inspected.letter;
        this.#records.push({ at, kind: 'process', pid: to.toString(), text: `dead letter ${name} (${reason})` });
        return;
      }
      case 'ends':
      case 'held':
        return;
    }
  }
}

function lineOf(record: HistoryRecord): string {
  switch (record.kind) {
    case 'served':
      return `${record.from} -> ${record.to} ${record.text}`;
    case 'process':
      return `* ${record.pid} ${record.text}`;
    case 'frame':
      return `${record.from} ${record.lost === undefined ? '=>' : '=x'} ${record.to} ${record.text}${record.lost === undefined ? '' : ` (${record.lost})`}`;
    case 'fault':
      return `! ${record.text}`;
    case 'note':
      return `# ${record.text}`;
    case 'timer':
      return `~ ${record.node}`;
  }
}

/** Entries of a list or object, and characters of a text, that are shown. */
const [shownEntries, shownCharacters, shownDepth] = [6, 40, 2];

/** A value in short: a history must not grow with the bodies in it. */
export function show(value: unknown, depth = shownDepth): string {
  if (typeof value === 'string') return short(value);
  if (value === undefined) return '';
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return `${value}`;
  if (typeof value !== 'object') return typeof value;
  if (value instanceof PID) return value.toString();
  if (value instanceof Error) return short(messageOf(value));
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth === 0) return '...';
  if (Array.isArray(value)) {
    const shown = value.slice(0, shownEntries).map((one) => show(one, depth - 1));
    return `[${shown.join(', ')}${value.length > shownEntries ? ', ...' : ''}]`;
  }
  if (value instanceof Map || value instanceof Set) return `${value.size} entries`;
  const entries = Object.entries(value);
  const shown = entries.slice(0, shownEntries).map(([name, one]) => `${name}: ${show(one, depth - 1)}`);
  return `{${shown.join(', ')}${entries.length > shownEntries ? ', ...' : ''}}`;
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters)}...` : line;
}
