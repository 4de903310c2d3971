import type { HistoryRecord } from './history.ts';

/** Arrows and notes that are drawn at most; of a longer history the end is what matters. */
const drawnEntries = 60;
/** Characters of a text that are drawn. */
const drawnCharacters = 100;

type Entry =
  | {
      readonly kind: 'arrow';
      readonly from: string;
      readonly to: string;
      readonly arrow: string;
      readonly text: string;
    }
  | { readonly kind: 'note'; readonly text: string };

/**
 * A history as the text of a Mermaid sequence diagram: processes are the participants, messages the arrows (dashed: exits;
 * crossed: what was lost), faults and acts the notes. Only the last 60 entries are drawn.
 */
export function sequenceDiagram(records: readonly HistoryRecord[]): string {
  const entries = records.flatMap(entriesOf);
  const drawn = entries.slice(-drawnEntries);
  if (drawn.length < entries.length) {
    drawn.unshift({ kind: 'note', text: `${entries.length - drawn.length} earlier entries are left out` });
  }
  const names = new Map<string, string>();
  for (const entry of drawn) {
    if (entry.kind === 'note') continue;
    for (const end of [entry.from, entry.to]) if (!names.has(end)) names.set(end, `p${names.size + 1}`);
  }
  if (names.size === 0) names.set('world', 'p1');
  const [first, last] = ['p1', `p${names.size}`];
  const all = first === last ? first : `${first},${last}`;
  return [
    'sequenceDiagram',
    ...[...names].map(([end, name]) => `  participant ${name} as ${escaped(end.replace(/^\?@/, 'asks of '))}`),
    ...drawn.map((entry) =>
      entry.kind === 'note'
        ? `  Note over ${all}: ${escaped(entry.text)}`
        : `  ${names.get(entry.from)}${entry.arrow}${names.get(entry.to)}: ${escaped(entry.text)}`,
    ),
  ].join('\n');
}

function entriesOf(record: HistoryRecord): Entry[] {
  const time = `${Math.round(record.at)} ms`;
  switch (record.kind) {
    case 'served':
      // A dispatch is a process's own affair.
      if (record.from === '' || (record.event !== 'message' && record.event !== 'exited')) return [];
      return [
        {
          kind: 'arrow',
          from: record.from,
          to: record.to,
          arrow: record.event === 'exited' ? '-->>' : '->>',
          text: `${record.text} (${time})`,
        },
      ];
    case 'frame': {
      const { lost, from, to } = record;
      if (lost === undefined) return [];
      return record.messages.map((message) => ({
        kind: 'arrow',
        from: `${message.from}@${from}`,
        to: `${message.to}@${to}`,
        arrow: '--x',
        text: `${message.name}, ${lost} (${time})`,
      }));
    }
    case 'fault':
    case 'note':
      return [{ kind: 'note', text: `${record.text} (${time})` }];
    case 'process':
    case 'timer':
      return [];
  }
}

/** Mermaid ends a statement at a semicolon or line break, and begins an entity with a hash. */
function escaped(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  const short = line.length > drawnCharacters ? `${line.slice(0, drawnCharacters)}...` : line;
  return short.replaceAll(/[#;<>]/g, (character) => `#${character.charCodeAt(0)};`);
}
