import { metricText, type Summary } from '@mezzo/lab';
import { clock } from './progress-line.ts';

/** So many roles have a line of their own. */
const mostLines = 30;

/** How a run went, for people. */
export function summaryTable(summary: Summary): string {
  const { scenario, allocator, sorter, seed, duration, metrics, roles, allocationRuns } = summary;
  const header = ['role', 'weight', 'share', 'launched', 'finished', 'wait p50', 'wait p95', 'offers', 'declined'];
  const lines = roles
    .slice(0, mostLines)
    .map((role) => [
      role.name,
      String(role.weight),
      percent(role.dominantShare),
      String(role.launched),
      String(role.finished),
      seconds(role.medianWait),
      seconds(role.wait95),
      String(role.offers),
      String(role.declined),
    ]);
  return [
    `${scenario}  allocator ${allocator}, sorter ${sorter}, seed ${seed}, ${clock(duration)} of virtual time`,
    '',
    ...aligned([header, ...lines], 1),
    ...(roles.length > mostLines ? [`and ${roles.length - mostLines} more roles`] : []),
    '',
    ...aligned(
      Object.entries(metrics).map(([name, value]) => {
        const { title, unit } = metricText(name);
        return unit === '%' ? [title, percent(value)] : [title, `${rounded(value)}${unit === '' ? '' : ` ${unit}`}`];
      }),
      2,
    ),
    `runs of the allocator: ${allocationRuns}`,
    '',
  ].join('\n');
}

/** @param left so many columns are texts; the others, numbers, go to the right */
function aligned(rows: readonly (readonly string[])[], left: number): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function rounded(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function seconds(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(2)} s`;
}
