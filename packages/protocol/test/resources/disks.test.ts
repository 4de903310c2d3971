import { expect } from 'chai';
import { type DiskInfo, type Resource, resourceFault, Resources } from '../../src/index.ts';

const parse = Resources.parse;
const text = (resources: Resources) => resources.toString();

describe('the id of a persistent volume', () => {
  const volume = (id: string): Resource => ({
    name: 'disk',
    type: 'SCALAR',
    scalar: 1,
    reservations: [{ type: 'DYNAMIC', role: 'r' }],
    disk: { persistence: { id }, volume: { containerPath: 'data', mode: 'RW' } },
  });

  it('names a folder, and leads out of none', () => {
    expect(resourceFault(volume('data-1'))).to.equal(undefined);
    for (const id of ['', '.', '..', '../../x', 'a/b', 'a\\b', 'a\0b', 'x'.repeat(256)])
      expect(resourceFault(volume(id)), id).to.match(/persistent volume/);
  });
});

describe('resources: disks', () => {
  it('RES-18 sources are validated; PATH is cut and added, MOUNT, BLOCK and RAW with an id are used whole', () => {
    const fault = (disk: object, more?: object) =>
      resourceFault({ name: 'disk', type: 'SCALAR', scalar: 1, disk: disk as DiskInfo, ...more });
    for (const source of [
      { type: 'PATH' },
      { type: 'PATH', root: '/a' },
      { type: 'MOUNT', root: '/a', id: 'i' },
      { type: 'BLOCK' },
      { type: 'RAW', profile: 'p' },
    ]) {
      expect(fault({ source })).to.equal(undefined);
    }
    expect(fault({ source: { type: 'UNKNOWN' } })).to.match(/one of PATH, MOUNT, BLOCK, RAW, not "UNKNOWN"/);
    expect(fault({ source: { type: 'BLOCK', root: '/a' } })).to.match(/type BLOCK has no root/);
    expect(fault({ source: { type: 'RAW', root: '/a' } })).to.match(/type RAW has no root/);
    expect(fault({ persistence: { id: '' } })).to.match(/must have an id/);
    expect(fault({ volume: { containerPath: 'p', mode: 'RW' } })).to.match(/must have a persistence/);
    expect(fault({ source: { type: 'PATH' } }, { name: 'cpus' })).to.match(/only the resource "disk"/);
    expect(fault({ source: { type: 'PATH' } }, {})).to.equal(undefined);
    const set: Resource = { name: 'disk', type: 'SET', set: ['a'], disk: { source: { type: 'PATH' } } };
    expect(resourceFault(set)).to.match(/is a SCALAR, not SET/);
    expect(fault({ source: { type: 'PATH' } }, { shared: true })).to.match(/only persistent volumes can be shared/);
    expect(fault({ persistence: { id: 'v' } }, { shared: true })).to.equal(undefined);

    for (const divisible of ['PATH:/a', 'PATH', 'RAW', 'RAW(profile: p)']) {
      const disk = parse(`disk[${divisible}]:5`);
      expect(text(disk.plus(disk))).to.equal(`disk[${divisible}]:10`);
      expect(text(disk.minus(parse(`disk[${divisible}]:2`)))).to.equal(`disk[${divisible}]:3`);
      expect(disk.contains(parse(`disk[${divisible}]:2`))).to.equal(true);
    }
    for (const whole of ['MOUNT:/a', 'MOUNT', 'BLOCK', 'BLOCK(id: b)', 'RAW(id: r)']) {
      const disk = parse(`disk[${whole}]:5`);
      const part = parse(`disk[${whole}]:2`);
      expect(text(disk.plus(disk))).to.equal(`disk[${whole}]:5;disk[${whole}]:5`);
      expect(disk.minus(part)).to.equal(disk);
      expect(disk.minus(parse(`disk[${whole}]:5`))).to.equal(Resources.empty);
      expect(text(disk.plus(disk).minus(disk))).to.equal(`disk[${whole}]:5`);
      expect(disk.contains(part)).to.equal(false);
      expect(disk.contains(parse(`disk[${whole}]:5`))).to.equal(true);
      expect(disk.contains(disk.plus(disk))).to.equal(false);
      expect(disk.equals(disk.plus(disk))).to.equal(false);
    }
    const sources = ['', '[PATH:/a]', '[PATH:/b]', '[MOUNT:/a]', '[RAW]', '[RAW(id: a)]', '[RAW(vendor: a)]'];
    sources.push('[RAW(profile: a)]', '[RAW(metadata: {a: b})]', '[BLOCK]');
    const all = Resources.sum(sources.map((source) => parse(`disk${source}:5`)));
    expect(all.entries).to.have.length(sources.length);
    for (const source of sources) {
      const rest = all.minus(parse(`disk${source}:5`));
      expect(rest.entries).to.have.length(sources.length - 1);
      expect(rest.contains(parse(`disk${source}:5`))).to.equal(false);
    }
  });

  it('RES-19 persistent volumes never merge, are equal by their id, and can be selected', () => {
    const plain = parse('disk(ads):10');
    const [one, other] = [parse('disk(ads)[v1:p:rw]:5'), parse('disk(ads)[v2:p:rw]:5')];
    const all = plain.plus(one).plus(other);
    expect(text(all)).to.equal('disk(ads):10;disk(ads)[v1:p:rw]:5;disk(ads)[v2:p:rw]:5');
    expect(text(all.plus(one))).to.equal(`${text(all)};disk(ads)[v1:p:rw]:5`);
    expect(all.scalar('disk')).to.equal(20);
    expect(one.equals(other)).to.equal(false);
    // Where it is mounted and who made it plays no part.
    expect(one.equals(parse('disk(ads)[v1(ops):elsewhere:ro]:5'))).to.equal(true);
    expect(one.equals(parse('disk(ads)[PATH:/x,v1:p:rw]:5'))).to.equal(false);
    expect(one.equals(parse('disk(ads)[v1:p:rw]:6'))).to.equal(false);
    expect(one.equals(parse('disk(eng)[v1:p:rw]:5'))).to.equal(false);
    expect(all.minus(one).equals(plain.plus(other))).to.equal(true);
    expect(all.minus(parse('disk(ads)[v1]:4'))).to.equal(all);
    expect(text(all.minus(parse('disk(ads):4')))).to.equal(text(all).replace('10', '6'));
    expect(all.contains(one.plus(other))).to.equal(true);
    expect(all.contains(one.plus(one))).to.equal(false);
    expect(all.plus(one).contains(one.plus(one))).to.equal(true);
    expect(all.plus(one).equals(all.plus(other))).to.equal(false);
    expect(all.contains(parse('disk(ads)[v1]:4'))).to.equal(false);
    expect(all.contains(parse('disk(ads):11'))).to.equal(false);
    expect(all.persistentVolumes().equals(one.plus(other))).to.equal(true);
    expect(text(parse('disk[MOUNT:/a]:5;disk[MOUNT:/a,v]:5').persistentVolumes())).to.equal('disk[MOUNT:/a,v]:5');
    expect(plain.persistentVolumes()).to.equal(Resources.empty);
    // Each keeps what it said of its mount.
    expect(
      parse('disk[v1:a:rw]:5;disk[v1:b:ro]:5').entries.map(({ disk }) => disk?.volume?.containerPath),
    ).to.deep.equal(['a', 'b']);
  });

  it('RES-25 equal shared volumes are counted: added, subtracted, contained and selected', () => {
    const volume = parse('disk(ads)[v1]<SHARED>:5');
    const other = parse('disk(ads)[v2]<SHARED>:5');
    const twice = volume.plus(volume);
    const copies = (resources: Resources) => resources.entries.map(({ disk }) => disk?.persistence?.id);
    expect(copies(twice.plus(other))).to.deep.equal(['v1', 'v1', 'v2']);
    expect(Resources.of(twice.entries).equals(twice)).to.equal(true);
    // However often, it is one volume on the disk.
    expect(twice.scalar('disk')).to.equal(5);
    expect(twice.quantities.get('disk')).to.equal(5);
    expect(twice.minus(volume).equals(volume)).to.equal(true);
    expect(twice.minus(parse(text(volume)))).to.deep.equal(volume);
    expect(volume.minus(twice)).to.equal(Resources.empty);
    expect(twice.minus(other)).to.equal(twice);
    expect(twice.minus(parse('disk(ads)[v1]<SHARED>:4'))).to.equal(twice);
    expect(twice.contains(volume)).to.equal(true);
    expect(twice.contains(parse(`${text(volume)};${text(volume)}`))).to.equal(true);
    expect(volume.contains(twice)).to.equal(false);
    expect(volume.equals(twice)).to.equal(false);
    expect(twice.contains(other)).to.equal(false);
    // The same volume unshared is another thing.
    const exclusive = parse('disk(ads)[v1]:5');
    expect(volume.contains(exclusive) || exclusive.contains(volume) || volume.equals(exclusive)).to.equal(false);
    expect(volume.plus(exclusive).entries).to.have.length(2);
    expect(volume.plus(exclusive).minus(exclusive).equals(volume)).to.equal(true);
    const mixed = twice.plus(exclusive).plus(parse('cpus:1'));
    expect(mixed.shared().equals(twice)).to.equal(true);
    expect(text(mixed.nonShared())).to.equal('disk(ads)[v1]:5;cpus:1');
    expect([mixed.hasShared, mixed.nonShared().hasShared]).to.deep.equal([true, false]);
    expect(mixed.filter(({ name }) => name === 'disk').equals(twice.plus(exclusive))).to.equal(true);
    expect(copies(twice.allocate('x').unallocate())).to.deep.equal(['v1', 'v1']);
    const wire: Resource[] = JSON.parse(JSON.stringify(mixed));
    expect(Resources.of(wire).equals(mixed)).to.equal(true);
  });
});
