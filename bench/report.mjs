import { cpus, loadavg } from 'node:os';

/** What the figures were measured on, and how often. */
export function circumstances(rounds) {
  return `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), load average ${loadavg()[0].toFixed(1)}, median of ${rounds} interleaved rounds`;
}

/**
 * A table for the terminal, or in Markdown. `columns` are pairs of a title and a function that gives the cell of a row;
 * those without any cell are left out.
 */
export function table(columns, rows, markdown) {
  const shown = columns
    .map(([title, show]) => [title, ...rows.map(show)])
    .filter(([, ...cells]) => cells.some((cell) => cell !== ''))
    .map((cells) => {
      const width = Math.max(...cells.map((cell) => cell.length));
      const padded = cells.map((cell) => cell.padEnd(width));
      return markdown ? padded.toSpliced(1, 0, '-'.repeat(width)) : padded;
    });
  const lines = shown[0].map((_cell, line) => shown.map((cells) => cells[line]));
  return lines.map((cells) => (markdown ? `| ${cells.join(' | ')} |\n` : `${cells.join('  ').trimEnd()}\n`)).join('');
}

export function readable(figure, maximumSignificantDigits = 4) {
  return figure.toLocaleString('en-US', { maximumSignificantDigits });
}

export function percent(share) {
  return `${(share * 100).toFixed(0)} %`;
}
