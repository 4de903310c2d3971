import { type HistoryRecord, sequenceDiagram } from '@mezzo/process/testing';
import { masterNames } from './settings.ts';

const nodeName = /\b(?:(?:master|agent|framework)-\d+|registry|lease)\b/g;
/** What is said all the time. */
const chatter = /^(?:agent\.(?:ping|pong)|detector?\b|lease\.read)/;

/**
 * The sequence diagram of what concerns a violation: what the nodes that it names, and the masters, said to each other, what
 * of it was lost, and the faults.
 */
export function focusedDiagram(records: readonly HistoryRecord[], violation: string): string {
  const named = new Set(violation.match(nodeName) ?? []);
  const concerns = (from: string, to: string): boolean => {
    const known = (node: string): boolean => named.has(node) || masterNames.includes(node);
    return from !== to && known(from) && known(to) && (named.has(from) || named.has(to));
  };
  return sequenceDiagram(records.filter((record) => isShown(record, concerns, named)));
}

function isShown(
  record: HistoryRecord,
  concerns: (from: string, to: string) => boolean,
  named: ReadonlySet<string>,
): boolean {
  switch (record.kind) {
    case 'served':
      return (
        record.event === 'message' && !chatter.test(record.text) && concerns(nodeOf(record.from), nodeOf(record.to))
      );
    case 'frame':
      return record.lost !== undefined && concerns(record.from, record.to);
    case 'fault': {
      const nodes = record.text.match(nodeName);
      return record.at > 0 && (nodes === null || nodes.some((node) => named.has(node)));
    }
    case 'note':
      return record.text.includes('ended by itself') || record.text.includes('leader');
    case 'process':
    case 'timer':
      return false;
  }
}

/** Of an address such as `agent@agent-1`. */
function nodeOf(address: string): string {
  return /@([^#/]+)/.exec(address)?.[1] ?? address;
}
