import { expect } from 'chai';
import { isStrictSubrole, roleFault } from '../src/roles.ts';

describe('roles', () => {
  it('ROLE-05 accepts * and paths of plain components', () => {
    for (const role of ['*', 'ads', 'eng/web', 'a/b/c', 'a.b', 'a-b', '...']) {
      expect(roleFault(role), role).to.equal(undefined);
    }
  });

  for (const role of ['', '/a', 'a/', 'a//b', '.', 'a/..', 'a/*', '-a', 'a/-b', 'a b', 'a\tb', 'a\u007f']) {
    it(`ROLE-05 refuses ${JSON.stringify(role)}`, () => {
      expect(roleFault(role)).to.be.a('string');
    });
  }

  it('ROLE-05 takes a role for a subrole only below a full component', () => {
    expect(isStrictSubrole('eng/web', 'eng')).to.equal(true);
    expect(isStrictSubrole('eng/web/x', 'eng')).to.equal(true);
    expect(isStrictSubrole('eng', 'eng')).to.equal(false);
    expect(isStrictSubrole('engine', 'eng')).to.equal(false);
    expect(isStrictSubrole('eng', 'eng/web')).to.equal(false);
  });
});
