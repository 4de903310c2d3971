import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { requirements, statusOf, table, titles } from './conformance.ts';

describe('the conformance table', () => {
  const all = titles();

  it('has a test, or a reason for having none, for every requirement of libprocess', () => {
    const missing = requirements().filter((one) => statusOf(one, all).kind === 'missing');
    expect(missing.map(({ id }) => id)).to.deep.equal([]);
  });

  it('covers at least 165 of the requirements on processes, futures, time, concurrency and metrics', () => {
    const later = new Set('HTTP DEC ENC JWT IO SUB REAP SOCK TLS GRPC WIRE FW OWN'.split(' '));
    const core = requirements().filter(({ id }) => !later.has(id.split('-')[1] ?? ''));
    const covered = core.filter((one) => statusOf(one, all).kind === 'covered');
    expect(covered.length).to.be.at.least(165);
  });

  it('knows every id that a title names', () => {
    const known = new Set(requirements().map(({ id }) => id));
    const named = all.flatMap(({ title }) => title.match(/\bLP-[A-Z]+-\d+\b/g) ?? []);
    expect(named.filter((id) => !known.has(id))).to.deep.equal([]);
  });

  it('in docs/conformance.md is the one that `npm run docs:conformance` makes', () => {
    expect(readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')).to.equal(table());
  });
});
