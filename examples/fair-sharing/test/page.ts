import { readFileSync } from 'node:fs';

/** The page of the documentation that quotes what the program prints. */
export const page = readFileSync(new URL('../../../docs/fair-sharing.md', import.meta.url), 'utf8');

/** As the page quotes it. */
export function quoted(report: string): string {
  return `\`\`\`text\n${report}\n\`\`\`\n`;
}
