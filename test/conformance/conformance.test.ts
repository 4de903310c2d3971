import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import {
  areaOf,
  differences,
  exceptions,
  idsIn,
  requirements,
  statusOf,
  table,
  titles,
  titlesIn,
} from './conformance.ts';

describe('the conformance table', () => {
  const all = titles();
  const known = new Map(requirements().map((one) => [one.id, one]));
  const kindOf = (id: string): string | undefined => {
    const requirement = known.get(id);
    return requirement && statusOf(requirement, all).kind;
  };

  it('has a test, or a reason for having none, for every requirement', () => {
    expect([...known.keys()].filter((id) => kindOf(id) === 'missing')).to.deep.equal([]);
  });

  it('has every requirement once', () => {
    expect(known.size).to.equal(requirements().length);
    for (const { id, name } of known.values()) expect(name, id).not.to.equal('');
  });

  it('covers at least 165 of the requirements on processes, futures, time, concurrency and metrics', () => {
    const later = new Set(
      'HTTP DEC ENC JWT IO SUB REAP SOCK TLS GRPC WIRE FW OWN'.split(' ').map((area) => `LP-${area}`),
    );
    const core = requirements('libprocess').filter((one) => !later.has(areaOf(one)));
    expect(core.filter(({ id }) => kindOf(id) === 'covered').length).to.be.at.least(165);
  });

  it('covers at least 115 of the requirements on master, agent and schedulers', () => {
    const areas = new Set('MASTER SCHED RECON TEAR ROLE WGT QUOTA RESV PV PART AGENT'.split(' '));
    const named = requirements('Mesos').filter((one) => areas.has(areaOf(one)));
    expect(named.filter(({ id }) => kindOf(id) === 'covered').length).to.be.at.least(115);
  });

  it('knows every id that a title names', () => {
    const areas = new Set([...known.values()].map(areaOf));
    const named = all.flatMap(({ title }) => idsIn(title, areas));
    expect(named.length).to.be.above(200);
    expect(named.filter((id) => !known.has(id))).to.deep.equal([]);
  });

  it('says of nothing but what is known and covered that it differs from upstream', () => {
    const wrong = differences().filter(({ id, reason }) => kindOf(id) !== 'covered' || reason === '');
    expect(wrong).to.deep.equal([]);
    expect(new Set(differences().map(({ id }) => id)).size).to.equal(differences().length);
  });

  it('has reasons only for what is known and not covered, one each', () => {
    const isOpen = (id: string): boolean => kindOf(id) !== undefined && kindOf(id) !== 'covered';
    const wrong = exceptions().filter(({ id, area, reason }) => {
      if (reason === '' || (id === undefined) === (area === undefined)) return true;
      return ![...known.values()].some((one) => (one.id === id || areaOf(one) === area) && isOpen(one.id));
    });
    expect(wrong).to.deep.equal([]);
    const named = exceptions().map(({ id, area }) => id ?? area);
    expect(new Set(named).size).to.equal(named.length);
  });

  it('takes for not covered only what is for later, or not applicable', () => {
    const kinds = new Set([...known.keys()].map(kindOf));
    expect([...kinds]).to.have.members(['covered', 'later', 'not applicable']);
  });

  it('in docs/conformance.md is the one that `npm run docs:conformance` makes', () => {
    expect(readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')).to.equal(table());
  });
});

describe('the titles in a source', () => {
  it('are those of `it`, however quoted', () => {
    const source = `describe('a', () => { it('b\\'s', f); it(\n"c // no comment", f); it(\`d\`, f); submit('e'); x.it('f'); });`;
    expect(titlesIn(source)).to.deep.equal(["b\\'s", 'c // no comment', 'd']);
  });

  it('are not those in comments, strings and regular expressions', () => {
    const source = `
      // it('a', f);
      /* it('b',
         it('c', f); */
      const text = "it('d')" + 'https://' + \`/* \`; it('e', f); const closing = ' */';
      const quotes = /['"\`] it('f') [/]/; const address = /https?:\\/\\//; it('g', f);
    `;
    expect(titlesIn(source)).to.deep.equal(['e', 'g']);
  });

  it("have the ids of a table's rows only where a title begins with what comes from a table", () => {
    const rows = "for (const [id] of [['LP-FUT-22', 1], [\n'LP-FUT-23', 2]])";
    expect(titlesIn(`${rows} it('all', f)`)).to.deep.equal(['all']);
    expect(titlesIn(`${rows} it('\${id} all', f)`)).to.deep.equal(['${id} all']);
    expect(titlesIn(`${rows} it(\`\${id} all\`, f)`)).to.deep.equal(['${id} all', 'LP-FUT-22', 'LP-FUT-23']);
  });
});
