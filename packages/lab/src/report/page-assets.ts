import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What a page carries inside itself. */
export interface PageAssets {
  readonly style: string;
  readonly script: string;
  readonly plotStyle: string;
  readonly plotScript: string;
}

let read: PageAssets | undefined;

/** Read once; they belong to the installed packages, as code does. */
export function pageAssets(): PageAssets {
  if (read !== undefined) return read;
  // The same from src and from dist: both lie two folders below the package, and src is published.
  const own = (name: string): string => readFileSync(new URL(`../../src/report/${name}`, import.meta.url), 'utf8');
  const plots = dirname(createRequire(import.meta.url).resolve('uplot'));
  const plot = (name: string): string => readFileSync(join(plots, name), 'utf8');
  read = {
    style: own('page.css'),
    script: own('plots.js'),
    plotStyle: plot('uPlot.min.css'),
    plotScript: plot('uPlot.iife.min.js'),
  };
  return read;
}
