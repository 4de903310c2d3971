import type { Resource } from '@mezzo/protocol';
import { expect } from 'chai';
import { volumePath } from '../../src/resources/volumes.ts';
import { WorkDirectory } from '../../src/work-directory.ts';

describe('the folders of volumes', () => {
  it('ROLE-06 are apart, none in another, for volumes of one name and roles of one path', () => {
    const folders = new WorkDirectory('/work-dir');
    const folder = (role: string, id: string): string | undefined => {
      const volume: Resource = {
        name: 'disk',
        type: 'SCALAR',
        scalar: 1,
        reservations: [{ type: 'DYNAMIC', role }],
        disk: { persistence: { id }, volume: { containerPath: 'data', mode: 'RW' } },
      };
      return volumePath(folders, volume);
    };
    const all = ['a', 'a/b', 'a/b/c', 'a/b/c/d'].flatMap((role) => ['a', 'b', 'c', 'v'].map((id) => folder(role, id)));
    expect(new Set(all).size).to.equal(all.length);
    for (const outer of all) expect(all.filter((inner) => inner?.startsWith(`${outer}/`))).to.deep.equal([]);
  });
});
