type Cell = string | number;

/** Columns as wide as what is in them, the first to the left and all others to the right, two spaces between. */
export function table(rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(String));
  const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => (row[column] ?? '').length)));
  return texts
    .map((row) =>
      row
        .map((text, column) => (column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Cells of a bar that is full. */
const width = 40;

/** Parts of a whole, each drawn with the first letter of its name; what is free is drawn as dots. */
export function bar(parts: readonly (readonly [name: string, part: number])[]): string {
  let sum = 0;
  let drawn = '';
  for (const [name, part] of parts) {
    sum += part;
    drawn = drawn.padEnd(Math.round(sum * width), name.charAt(0));
  }
  return `|${drawn.padEnd(width, '.')}|`;
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}

/** A number with at most two decimals, and none that say nothing. */
export function short(value: number): string {
  return String(Number(value.toFixed(2)));
}
