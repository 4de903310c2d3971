import { expect } from 'chai';
import fc from 'fast-check';
import {
  fromMesosResource,
  type Resource,
  ResourceFormatError,
  Resources,
  ResourcesParseError,
  toMesosResource,
} from '../../src/index.ts';
import { anyResource, anyResources } from './samples.ts';

const cpus = { name: 'cpus', type: 'SCALAR', scalar: { value: 2 } };
const json = (...resources: object[]) => JSON.stringify(resources);

describe('resources: JSON', () => {
  it('RES-03 an array in JSON equals the text form, with roles, disks and both formats of reservations', () => {
    const text = 'cpus:2;mem(ads):32;ports:[1-5,8-9];zones:{a,b}';
    const array = json(
      cpus,
      { name: 'mem', type: 'SCALAR', scalar: { value: 32 }, role: 'ads' },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: {
          range: [
            { begin: 1, end: 5 },
            { begin: 8, end: 9 },
          ],
        },
      },
      { name: 'zones', type: 'SET', set: { item: ['a', 'b'] } },
    );
    expect(Resources.parse(array).entries).to.deep.equal(Resources.parse(text).entries);
    expect(Resources.parse(` \n${array} `, 'eng').toString()).to.equal(
      'cpus(eng):2;mem(ads):32;ports(eng):[1-5,8-9];zones(eng):{a,b}',
    );
    expect(Resources.parse(json({ ...cpus, role: '*' }), 'eng').toString()).to.equal('cpus:2');
    const labels = { labels: [{ key: 'k', value: 'v' }] };
    const pre = json({ ...cpus, role: 'ads', reservation: { principal: 'ops', labels } });
    const post = json({ ...cpus, reservations: [{ type: 'DYNAMIC', role: 'ads', principal: 'ops', labels }] });
    expect(Resources.parse(pre).toString()).to.equal('cpus(reservations: [(DYNAMIC,ads,ops,{k: v})]):2');
    expect(Resources.parse(post).entries).to.deep.equal(Resources.parse(pre).entries);
    const disk = {
      name: 'disk',
      type: 'SCALAR',
      scalar: { value: 5 },
      role: 'ads',
      allocation_info: { role: 'eng' },
      provider_id: { value: 'p1' },
      shared: {},
      revocable: {},
      disk: {
        persistence: { id: 'v1', principal: 'ops' },
        volume: { container_path: 'data', mode: 'RW', host_path: '/host' },
        source: { type: 'MOUNT', mount: { root: '/mnt' }, id: 'm', profile: 'f', vendor: 'acme', metadata: labels },
      },
    };
    expect(Resources.parse(json(disk)).entries).to.deep.equal(
      Resources.parse(
        'disk(allocated: eng)(ads)(provider: p1)[MOUNT(id: m, profile: f, vendor: acme, metadata: {k: v}):/mnt,v1(ops):/host:data:rw]{REV}<SHARED>:5',
      ).entries,
    );
    expect(
      Resources.parse(json({ ...disk, disk: { source: { type: 'PATH', path: {} } }, shared: null })).entries[0]?.disk,
    ).to.deep.equal({ source: { type: 'PATH' } });
  });

  it('RES-23 converts to the formats before and after refinement and of endpoints; refined reservations have none before', () => {
    const labels = [{ key: 'k', value: 'v' }];
    const plain = Resources.parse('cpus:2').entries[0];
    const fixed = Resources.parse('cpus(ads):2').entries[0];
    const dynamic: Resource = {
      name: 'cpus',
      type: 'SCALAR',
      scalar: 2,
      reservations: [{ type: 'DYNAMIC', role: 'ads', principal: 'ops', labels }],
    };
    const refined = Resources.of([dynamic]).pushReservation({ type: 'DYNAMIC', role: 'ads/web' }).entries[0];
    if (plain === undefined || fixed === undefined || refined === undefined) throw new Error('no sample');
    const who = { principal: 'ops', labels: { labels } };
    const stack = [{ type: 'DYNAMIC', role: 'ads', ...who }];

    expect(toMesosResource(plain, 'PRE_REFINEMENT')).to.deep.equal({ ...cpus, role: '*' });
    expect(toMesosResource(fixed, 'PRE_REFINEMENT')).to.deep.equal({ ...cpus, role: 'ads' });
    expect(toMesosResource(dynamic, 'PRE_REFINEMENT')).to.deep.equal({ ...cpus, role: 'ads', reservation: who });

    expect(toMesosResource(plain, 'POST_REFINEMENT')).to.deep.equal(cpus);
    expect(toMesosResource(fixed, 'POST_REFINEMENT')).to.deep.equal({
      ...cpus,
      reservations: [{ type: 'STATIC', role: 'ads' }],
    });
    expect(toMesosResource(dynamic, 'POST_REFINEMENT')).to.deep.equal({ ...cpus, reservations: stack });
    const both = { ...cpus, reservations: [...stack, { type: 'DYNAMIC', role: 'ads/web' }] };
    expect(toMesosResource(refined, 'POST_REFINEMENT')).to.deep.equal(both);

    expect(toMesosResource(plain, 'ENDPOINT')).to.deep.equal({ ...cpus, role: '*' });
    expect(toMesosResource(fixed, 'ENDPOINT')).to.deep.equal({
      ...cpus,
      role: 'ads',
      reservations: [{ type: 'STATIC', role: 'ads' }],
    });
    expect(toMesosResource(dynamic, 'ENDPOINT')).to.deep.equal({
      ...cpus,
      role: 'ads',
      reservation: who,
      reservations: stack,
    });
    expect(toMesosResource(refined, 'ENDPOINT')).to.deep.equal(both);

    expect(() => toMesosResource(refined, 'PRE_REFINEMENT')).to.throw(
      ResourceFormatError,
      /expected at most one reservation in the format before reservation refinement, found 2 of "cpus": ads, ads\/web/,
    );
    for (const resource of [plain, fixed, dynamic, refined]) {
      expect(fromMesosResource(toMesosResource(resource, 'ENDPOINT'))).to.deep.equal(resource);
      expect(fromMesosResource(toMesosResource(resource, 'POST_REFINEMENT'))).to.deep.equal(resource);
      if (resource !== refined)
        expect(fromMesosResource(toMesosResource(resource, 'PRE_REFINEMENT'))).to.deep.equal(resource);
    }
  });

  it('every resource comes back from every format that can tell it, also through text', () => {
    fc.assert(
      fc.property(
        anyResources,
        fc.constantFrom('PRE_REFINEMENT', 'POST_REFINEMENT', 'ENDPOINT'),
        (resources, format) => {
          const all = resources.entries.filter(
            ({ reservations = [] }) => format !== 'PRE_REFINEMENT' || reservations.length < 2,
          );
          const text = JSON.stringify(all.map((resource) => toMesosResource(resource, format)));
          expect(Resources.parse(text).entries).to.deep.equal(all);
        },
      ),
      { numRuns: 300 },
    );
  });

  const wrong: [what: string, text: string, at: string, message: RegExp][] = [
    ['a missing comma', '[{"name":"a" "type":"SCALAR"}]', '"type"', /expected ",", found "\\"type\\""/],
    ['an unclosed array', '[{}', '', /expected "\]", found the end of the text/],
    ['a trailing comma', '[1,]', ']', /expected a JSON value/],
    ['a comment', '[ /* none */ ]', '/*', /expected no comment/],
    ['something that is no JSON', '[nothing]', 'nothing', /expected a JSON value, found "nothing"/],
    ['text behind the array', '[] x', 'x', /expected the end of the text|expected a JSON value/],
    ['a number for a resource', '[17]', '17', /expected an object, found 17/],
    ['no name', '[{"type":"SCALAR","scalar":{"value":1}}]', '{"type', /expected an object with "name"/],
    ['an empty name', '[{"name":"","type":"SCALAR","scalar":{"value":1}}]', '""', /must have a name/],
    ['a number as name', '[{"name":5,"type":"SCALAR"}]', '5', /expected a string, found 5/],
    ['an unknown type', '[{"name":"a","type":"TEXT"}]', '"TEXT"', /expected one of SCALAR, RANGES, SET, found "TEXT"/],
    ['no value', '[{"name":"a","type":"SCALAR"}]', '{', /expected an object with "scalar"/],
    ['a text as value', '[{"name":"a","type":"SCALAR","scalar":{"value":"1"}}]', '"1"', /expected a number, found "1"/],
    [
      'two values',
      '[{"name":"a","type":"SCALAR","scalar":{"value":1},"set":{"item":[]}}]',
      '{"item',
      /a resource of type SCALAR to have no other value/,
    ],
    ['a negative number', '[{"name":"a","type":"SCALAR","scalar":{"value":-1}}]', '-1', /-1 is negative/],
    ['an overflow', '[{"name":"a","type":"SCALAR","scalar":{"value":1e999}}]', '1e999', /not a finite number/],
    ['too little', '[{"name":"a","type":"SCALAR","scalar":{"value":0.0004}}]', '0.0004', /below the precision/],
    [
      'a range beyond 2^53',
      '[{"name":"a","type":"RANGES","ranges":{"range":[{"begin":1,"end":9007199254740993}]}}]',
      '[{"begin',
      /needs whole numbers from 0 to 9007199254740991/,
    ],
    [
      'ranges that overlap',
      '[{"name":"a","type":"RANGES","ranges":{"range":[{"begin":1,"end":5},{"begin":5,"end":6}]}}]',
      '[{"begin',
      /\[1-5\] and \[5-6\] overlap/,
    ],
    ['an item twice', '[{"name":"a","type":"SET","set":{"item":["x","x"]}}]', '["x"', /"x" appears twice/],
    [
      'a role with a space',
      '[{"name":"a","type":"SET","set":{},"role":"a b"}]',
      '"a b"',
      /must not contain white space/,
    ],
    [
      'a reservation for nobody',
      '[{"name":"a","type":"SET","set":{},"reservation":{"principal":"p"}}]',
      '{"principal',
      /expected no reservation for the role "\*"/,
    ],
    [
      'a reservation of unknown type',
      '[{"name":"a","type":"SET","set":{},"reservations":[{"type":"UNKNOWN","role":"a"}]}]',
      '"UNKNOWN"',
      /expected one of STATIC, DYNAMIC/,
    ],
    [
      'a refinement of another role',
      '[{"name":"a","type":"SET","set":{},"reservations":[{"type":"STATIC","role":"a"},{"type":"DYNAMIC","role":"b"}]}]',
      '"b"',
      /must be of a subrole/,
    ],
    [
      'a role that contradicts the reservation',
      '[{"name":"a","type":"SET","set":{},"role":"b","reservations":[{"type":"STATIC","role":"a"}]}]',
      '"b"',
      /expected the role of the reservation, a, found "b"/,
    ],
    [
      'a reservation that contradicts the reservations',
      '[{"name":"a","type":"SET","set":{},"reservation":{"principal":"x"},"reservations":[{"type":"DYNAMIC","role":"a","principal":"y"}]}]',
      '{"principal":"x"',
      /expected what the first of the reservations says/,
    ],
    [
      'a dynamic reservation beside a static one',
      '[{"name":"a","type":"SET","set":{},"reservation":{"x":1},"reservations":[{"type":"STATIC","role":"a"}]}]',
      '{"x":1}',
      /expected what the first of the reservations says/,
    ],
    [
      'a reservation beside a refinement',
      '[{"name":"a","type":"SET","set":{},"reservation":{"x":1},"reservations":[{"type":"STATIC","role":"a"},{"type":"DYNAMIC","role":"a/b"}]}]',
      '{"x":1}',
      /expected no reservation beside several reservations/,
    ],
    [
      'a MOUNT disk with a path',
      '[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"MOUNT","path":{"root":"/"}}}}]',
      '{"root',
      /a disk source of type MOUNT to have no path/,
    ],
    [
      'a role beside a refinement',
      '[{"name":"a","type":"SET","set":{},"role":"q","reservations":[{"type":"STATIC","role":"a"},{"type":"DYNAMIC","role":"a/b"}]}]',
      '"q"',
      /expected no role beside several reservations/,
    ],
    [
      'an unknown disk source',
      '[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"UNKNOWN"}}}]',
      '"UNKNOWN"',
      /expected one of PATH, MOUNT, BLOCK, RAW/,
    ],
    [
      'a RAW disk with a mount',
      '[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"RAW","mount":{"root":"/"}}}}]',
      '{"root',
      /a disk source of type RAW to have no mount/,
    ],
    [
      'disk information on cpus',
      '[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"RAW"}}}]',
      '{"source',
      /only the resource "disk"/,
    ],
    [
      'shared cpus',
      '[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"shared":{}}]',
      '{}',
      /only persistent volumes/,
    ],
    [
      'an invalid allocation',
      '[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"allocation_info":{"role":"/"}}]',
      '"/"',
      /role "\/"/,
    ],
    [
      'a name with two types',
      '[{"name":"x","type":"SCALAR","scalar":{"value":1}},{"name":"x","type":"SET","set":{}}]',
      '"x","type":"SET"',
      /every "x" to be SCALAR/,
    ],
    [
      'too large a sum',
      '[{"name":"x","type":"SCALAR","scalar":{"value":7e12}},{"name":"x","type":"SCALAR","scalar":{"value":8e12}}]',
      '8e12',
      /a sum of all "x" up to/,
    ],
    ['too many levels', '['.repeat(100_000), '', /at most 32 levels/],
  ];
  for (const [what, text, at, message] of wrong) {
    it(`points at ${what}`, () => {
      const column = what === 'too many levels' ? 32 : at === '' ? text.length : text.indexOf(at, at === '{' ? 1 : 0);
      try {
        Resources.parse(text);
        expect.fail('accepted');
      } catch (error) {
        if (!(error instanceof ResourcesParseError)) throw error;
        expect(error.message).to.match(message);
        expect(error.position).to.equal(column);
        expect(error.message.split('\n')).to.have.length(3);
      }
    });
  }

  it('names the way to what is wrong in a value', () => {
    const bad = { ...cpus, reservations: [{ type: 'DYNAMIC', role: 'a', labels: { labels: [{ value: 1 }] } }] };
    expect(() => fromMesosResource(bad)).to.throw(
      ResourceFormatError,
      'Invalid resource at reservations.0.labels.labels.0.value: expected a string, found 1',
    );
    expect(() => fromMesosResource(null)).to.throw(
      ResourceFormatError,
      'Invalid resource: expected an object, found null',
    );
  });

  it('throws nothing but its own error, with a position in the text, whatever the JSON', () => {
    const mangled = fc
      .tuple(
        anyResource,
        fc.nat(),
        fc.nat(4),
        fc.constantFrom('', '[', '{}', '"', ',', '1', 'null', ':', '-', '"role":"x",'),
      )
      .map(([resource, at, length, piece]) => {
        const text = JSON.stringify([toMesosResource(resource, 'POST_REFINEMENT')]);
        const start = 1 + (at % text.length);
        return `${text.slice(0, start)}${piece}${text.slice(start + length)}`;
      });
    const texts = fc.oneof(
      mangled,
      fc.json().map((value) => `[${value}]`),
      fc.string().map((value) => `[${value}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          Resources.parse(text);
        } catch (error) {
          if (!(error instanceof ResourcesParseError)) throw error;
          expect(error.position).to.be.within(0, text.length);
        }
      }),
      { numRuns: 800 },
    );
  });
});
