import { expect } from 'chai';
import fc from 'fast-check';
import { parseAgentResources, parseResources, Resources, ResourcesParseError } from '../../src/index.ts';
import { anyResources } from './samples.ts';

interface Wrong {
  readonly text: string;
  readonly column: number;
  readonly message: RegExp;
}

function refuses(cases: readonly Wrong[], read: (text: string) => unknown = (text) => Resources.parse(text)): void {
  for (const { text, column, message } of cases) {
    try {
      read(text);
      expect.fail(`accepted ${text}`);
    } catch (error) {
      if (!(error instanceof ResourcesParseError)) throw error;
      expect(error.message, text).to.match(message);
      expect(error.position, text).to.equal(column);
      const [, shown = '', caret = '', ...more] = error.message.split('\n');
      expect(more).to.deep.equal([]);
      if (text.length < 60) expect(shown).to.equal(`  ${text}`);
      expect(caret).to.match(/^ +\^$/);
      expect(shown[caret.length - 1] ?? '').to.equal(text[column] ?? '');
    }
  }
}

describe('resources: text form', () => {
  it('RES-01 reads scalars, ranges and sets, with and without a role, whatever the white space', () => {
    expect(Resources.parse('cpus:4;mem:8192;ports:[31000-32000,40-50];zones:{a,b}').entries).to.deep.equal([
      { name: 'cpus', type: 'SCALAR', scalar: 4 },
      { name: 'mem', type: 'SCALAR', scalar: 8192 },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: [
          { begin: 40, end: 50 },
          { begin: 31_000, end: 32_000 },
        ],
      },
      { name: 'zones', type: 'SET', set: ['a', 'b'] },
    ]);
    expect(
      Resources.parse('cpus(ads):4;ports(ads):[1-2];zones(ads):{a};mem:8;disk(*):1', 'eng/web').entries,
    ).to.deep.equal([
      { name: 'cpus', reservations: [{ type: 'STATIC', role: 'ads' }], type: 'SCALAR', scalar: 4 },
      {
        name: 'ports',
        reservations: [{ type: 'STATIC', role: 'ads' }],
        type: 'RANGES',
        ranges: [{ begin: 1, end: 2 }],
      },
      { name: 'zones', reservations: [{ type: 'STATIC', role: 'ads' }], type: 'SET', set: ['a'] },
      { name: 'mem', reservations: [{ type: 'STATIC', role: 'eng/web' }], type: 'SCALAR', scalar: 8 },
      { name: 'disk', type: 'SCALAR', scalar: 1 },
    ]);
    const spaced = Resources.parse('  ; cpus ( ads ) : 4 ;;\n ports:[ 1 - 5 , 8 - 9 ] ; zones : { a , b } ; ');
    expect(spaced.toString()).to.equal('cpus(ads):4;ports:[1-5,8-9];zones:{a,b}');
    expect(Resources.parse(' ;').isEmpty).to.equal(true);
  });

  it('RES-02 points at missing values, bad parentheses, text values and types that differ', () => {
    refuses([
      { text: 'cpus', column: 4, message: /expected ":" or "\(" after the name, found the end of the text/ },
      { text: 'cpus:', column: 5, message: /expected a number, ranges .* found the end of the text/ },
      { text: 'cpus:;mem:1', column: 5, message: /expected a number.*found ";"/ },
      { text: ':4', column: 0, message: /expected the name of a resource, found ":"/ },
      { text: 'cpus(ads:4', column: 10, message: /expected "\)" after the role, found the end/ },
      { text: 'cpus)ads(:4', column: 4, message: /expected ":" or "\(" after the name, found "\)"/ },
      { text: 'cpus():4', column: 5, message: /expected a role, found "\)"/ },
      { text: 'cpus(a//b):4', column: 5, message: /expected a valid role.*must not contain "\/\/"/ },
      { text: 'cpus(a)(b):4', column: 7, message: /expected ":" after one reservations, found reservations again/ },
      { text: 'mem:1;cpus:many', column: 11, message: /expected a number.*found "many"/ },
      { text: 'cpus:1;cpus:{a}', column: 7, message: /expected every "cpus" to be SCALAR.*found SET/ },
      { text: 'ports(ads):[1-2];ports:3', column: 17, message: /expected every "ports" to be RANGES.*found SCALAR/ },
      { text: 'cpus:4 mem:8', column: 7, message: /expected ";" or the end, found "m"/ },
    ]);
  });

  it('RES-27 reads numbers with decimals and exponents; points at NaN, infinity, negatives and brackets that do not match', () => {
    expect(Resources.parse('a:0.5;b:.5;c:1.;d:1e3;e:2.5E-2;f:001').toString()).to.equal(
      'a:0.5;b:0.5;c:1;d:1000;e:0.025;f:1',
    );
    refuses([
      { text: 'cpus:NaN', column: 5, message: /found "NaN"/ },
      { text: 'cpus:inf', column: 5, message: /found "inf"/ },
      { text: 'cpus:Infinity', column: 5, message: /found "Infinity"/ },
      { text: 'cpus:1e999', column: 5, message: /Infinity is not a finite number/ },
      { text: 'cpus:-1', column: 5, message: /found "-1"/ },
      { text: 'cpus:0x10', column: 5, message: /found "0x10"/ },
      { text: 'ports:[1-2', column: 10, message: /expected "," or "\]" after a range, found the end/ },
      { text: 'ports:[1]', column: 8, message: /expected "-" between the ends of a range, found "\]"/ },
      { text: 'ports:[-1-2]', column: 7, message: /expected the first number of a range.*found "-"/ },
      { text: 'ports:[1-2,9-5]', column: 11, message: /expected a range from low to high, found 9-5/ },
      { text: 'ports:[1-2.5]', column: 10, message: /expected "," or "\]" after a range, found "\."/ },
      { text: 'ports:[1-2}', column: 10, message: /expected "," or "\]" after a range, found "\}"/ },
      { text: 'ports:[[1-2]]', column: 7, message: /expected the first number of a range.*found "\["/ },
      { text: 'zones:{a', column: 8, message: /expected "," or "\}" after an item, found the end/ },
      { text: 'zones:{a]', column: 9, message: /expected "," or "\}" after an item, found the end/ },
      { text: 'zones:{a,}', column: 9, message: /expected an item of the set, as in \{a,b\}, found "\}"/ },
      { text: 'zones:{a,b,a}', column: 11, message: /expected each item once, found "a" again/ },
    ]);
  });

  it('refuses what thousandths in a double cannot hold, and holds the largest that they can', () => {
    const largest = '8796093022207.999';
    expect(Resources.parse(`mem:${largest}`).toString()).to.equal(`mem:${largest}`);
    expect(Resources.parse(`mem:${largest}`).minus(Resources.parse('mem:0.001')).toString()).to.equal(
      'mem:8796093022207.998',
    );
    expect(Resources.parse('p:[0-9007199254740991]').minus(Resources.parse('p:[5-6]')).toString()).to.equal(
      'p:[0-4,7-9007199254740991]',
    );
    refuses([
      { text: 'mem:8796093022208', column: 4, message: /is larger than 8796093022207\.999/ },
      {
        text: 'mem:5e12;mem(ads):5e12',
        column: 18,
        message: /a sum of all "mem" up to 8796093022207\.999, found more/,
      },
      { text: 'ports:[1-9007199254740992]', column: 9, message: /expected a number up to 9007199254740991/ },
      { text: 'ports:[1-99999999999999999999999]', column: 9, message: /expected a number up to 9007199254740991/ },
    ]);
    const large = Resources.parse('mem:5e12');
    expect(() => large.plus(large)).to.throw(RangeError, /the sum of mem is larger than 8796093022207\.999/);
  });

  it('RES-04 an agent is not started with persistent volumes, revocable resources or dynamic reservations', () => {
    expect(parseAgentResources('cpus:0;cpus(ads):1;disk[MOUNT:/mnt]:5')).to.deep.equal(
      parseResources('cpus:0;cpus(ads):1;disk[MOUNT:/mnt]:5'),
    );
    refuses(
      [
        { text: 'cpus:1;disk(ads)[v1]:5', column: 17, message: /expected no persistent volume/ },
        { text: 'disk(ads)[PATH:/x,v1:data:rw]:5', column: 18, message: /expected no persistent volume/ },
        { text: 'cpus:1;cpus{REV}:5', column: 11, message: /expected no revocable resource/ },
        { text: 'cpus(reservations: [(DYNAMIC,ads)]):5', column: 20, message: /expected static reservations only/ },
        {
          text: 'cpus(reservations: [(STATIC,ads), (DYNAMIC,ads/x)]):5',
          column: 34,
          message: /expected static reservations only/,
        },
        { text: 'cpus(allocated: ads):5', column: 4, message: /expected no allocated resource/ },
        {
          text: '[{"name":"disk","type":"SCALAR","scalar":{"value":1},"role":"a","disk":{"persistence":{"id":"v"}}}]',
          column: 86,
          message: /expected no persistent volume/,
        },
        {
          text: '[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"revocable":{}}]',
          column: 65,
          message: /expected no revocable resource/,
        },
        {
          text: '[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"a","reservation":{"principal":"p"}}]',
          column: 78,
          message: /expected static reservations only/,
        },
        {
          text: '[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"a"}]}]',
          column: 69,
          message: /expected static reservations only/,
        },
        { text: 'cpus:1;cpus:{a}', column: 7, message: /expected every "cpus" to be SCALAR/ },
      ],
      parseAgentResources,
    );
  });

  it('RES-05 prints up to three decimals, ranges, sets, reservations, disks, allocation, shared and revocable', () => {
    const printed = [
      'cpus:1.235',
      'cpus(ads):2',
      'mem:0.5',
      'ports:[1-5,8-8]',
      'zones:{a,b}',
      'cpus(allocated: eng)(ads):1',
      'cpus(reservations: [(DYNAMIC,ads)]):1',
      'cpus(reservations: [(STATIC,ads), (DYNAMIC,ads/web,ops,{k: v, flag})]):1',
      'cpus(provider: p1){REV}:1',
      'disk[PATH:/data]:5',
      'disk[MOUNT(id: m, profile: fast, vendor: acme, metadata: {k: v}):/mnt/1]:5',
      'disk[RAW]:5',
      'disk(ads)[v1]:5',
      'disk(ads)[MOUNT:/mnt/1,v1(ops):/host:path:ro]<SHARED>:5',
    ];
    const read = Resources.parse(printed.join(';').replace('1.235', '1.23451').replace('0.5', '0.500'));
    expect(read.toString().split(';')).to.deep.equal(printed);
    // The last two copies are one entry, and both are printed.
    const shared = Resources.parse(printed.at(-1) ?? '');
    expect(shared.plus(shared).toString()).to.equal(`${String(shared)};${String(shared)}`);
  });

  it('prints in quotes what would be mistaken', () => {
    const odd = Resources.of([
      { name: 'a:b', type: 'SET', set: ['x,y', ' ', '"'] },
      { name: 'disk', type: 'SCALAR', scalar: 1, disk: { persistence: { id: 'MOUNT' } } },
      { name: 'cpus', type: 'SCALAR', scalar: 1, allocationRole: 'reservations:' },
      { name: 'mem', type: 'SCALAR', scalar: 1, reservations: [{ type: 'STATIC', role: 'allocated:x' }] },
    ]);
    expect(odd.toString()).to.equal(
      '"a:b":{"x,y"," ","\\""};disk["MOUNT"]:1;cpus(allocated: "reservations:"):1;mem("allocated:x"):1',
    );
    expect(Resources.parse(odd.toString().replace(/^"a:b"/, 'ab')).entries.slice(1)).to.deep.equal(
      odd.entries.slice(1),
    );
    expect(Resources.parse(odd.toString()).entries).to.deep.equal(odd.entries);
  });

  it('points into the additions of the printed form', () => {
    refuses([
      { text: 'cpus(reservations: [(OTHER,ads)]):1', column: 21, message: /expected STATIC or DYNAMIC, found "OTHER"/ },
      { text: 'cpus(reservations: [(STATIC,*)]):1', column: 20, message: /must name a role other than "\*"/ },
      {
        text: 'cpus(reservations: [(STATIC,a),(STATIC,a/b)]):1',
        column: 31,
        message: /a refined reservation must be DYNAMIC/,
      },
      { text: 'cpus(reservations: [(STATIC,a),(DYNAMIC,ab)]):1', column: 31, message: /must be of a subrole/ },
      { text: 'cpus(reservations: [(STATIC a)]):1', column: 28, message: /expected "," after the type/ },
      { text: 'cpus[MOUNT:/x]:1', column: 4, message: /only the resource "disk" has information about disks/ },
      { text: 'disk[RAW:/x]:1', column: 4, message: /a disk source of type RAW has no root directory/ },
      { text: 'disk[MOUNT(size: 1)]:1', column: 11, message: /expected id, profile, vendor or metadata, found "size"/ },
      { text: 'disk[]:1', column: 5, message: /expected the source of a disk or the id of a persistent volume/ },
      { text: 'disk[v:path]:1', column: 7, message: /expected "rw" or "ro", found "path"/ },
      { text: 'disk[v:rw]:1', column: 7, message: /expected the path of a volume/ },
      { text: 'disk[v:a:b:c:rw]:1', column: 13, message: /expected at most two paths/ },
      { text: 'disk<SHARED>:1', column: 4, message: /only persistent volumes can be shared/ },
      { text: 'cpus{RED}:1', column: 4, message: /expected "\{REV\}" or ":"/ },
      { text: 'cpus<SHARE>:1', column: 4, message: /expected "<SHARED>" or ":"/ },
      { text: 'cpus("a:1', column: 9, message: /expected a closing quote/ },
      { text: 'zones:{"\\x"}', column: 7, message: /expected a string as JSON writes it/ },
    ]);
  });

  it('adds up entries of the same name and role', () => {
    expect(Resources.parse('cpus:1;cpus:2;cpus(ads):3;ports:[1-2];ports:[3-4]').toString()).to.equal(
      'cpus:3;cpus(ads):3;ports:[1-4]',
    );
  });

  it('shows only the part of a long text around the fault, in one line', () => {
    const text = `${'cpus:1;\n'.repeat(100)}oops;${'mem:1;'.repeat(100)}`;
    try {
      Resources.parse(text);
      expect.fail('accepted');
    } catch (error) {
      if (!(error instanceof ResourcesParseError)) throw error;
      const [, shown = '', caret = ''] = error.message.split('\n');
      expect(shown.length).to.be.below(140);
      expect(shown[caret.length - 1]).to.equal(text[error.position]);
      expect(shown.slice(0, caret.length - 1)).to.match(/oops$/);
    }
  });

  it('refuses an invalid default role', () => {
    expect(() => Resources.parse('cpus:1', 'a b')).to.throw(RangeError, /default role.*white space/);
  });

  it('reads back whatever it prints', () => {
    fc.assert(
      fc.property(anyResources, (resources) => {
        expect(Resources.parse(resources.toString()).entries).to.deep.equal(resources.entries);
      }),
      { numRuns: 500 },
    );
  });

  it('throws nothing but its own error, with a position in the text, whatever the text', () => {
    const words =
      'cpus disk : ; ( ) [ ] { } < > - , " \\ 1 .5 allocated: provider: reservations: DYNAMIC STATIC ads MOUNT RAW id metadata {REV} <SHARED> rw';
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(' ', ...words.split(' '))).map((parts) => parts.join('')),
      // A printed form with one piece replaced.
      fc
        .tuple(anyResources, fc.nat(), fc.nat(6), fc.constantFrom('', ...words.split(' ')))
        .map(([resources, at, length, word]) => {
          const text = resources.toString();
          const start = at % (text.length + 1);
          return `${text.slice(0, start)}${word}${text.slice(start + length)}`;
        }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        for (const read of [parseResources, parseAgentResources]) {
          try {
            Resources.of(read(text));
          } catch (error) {
            if (!(error instanceof ResourcesParseError)) throw error;
            expect(error.position).to.be.within(0, text.length);
          }
        }
      }),
      { numRuns: 800 },
    );
  });
});
