import { expect } from 'chai';
import fc from 'fast-check';
import { AgentID, FrameworkID, InvalidIdError, MAX_ID_BYTES, TaskID, UpdateUUID } from '../src/ids.ts';

describe('ids', () => {
  it('returns the text itself, branded', () => {
    const id: FrameworkID = FrameworkID('a1b2-0000');
    expect(id).to.equal('a1b2-0000');
  });

  it('accepts names of 1 to 255 bytes with spaces, dots and any script', () => {
    for (const text of ['a', '...', 'my task', 'π'.repeat(127), 'x'.repeat(255), 'a.b:c@d']) {
      expect(TaskID(text)).to.equal(text);
      expect(TaskID.is(text)).to.equal(true);
    }
  });

  const refused: [string, string, RegExp][] = [
    ['an empty text', '', /"" is not a valid TaskID: it is empty/],
    ['the name of this directory', '.', /"\." is not a valid TaskID: it would name a directory/],
    ['the name of the parent directory', '..', /"\.\." is not a valid TaskID: it would name a directory/],
    ['a slash', 'a/b', /"a\/b" is not a valid TaskID: it contains "\/" at position 1/],
    ['a backslash', 'ab\\', /it contains "\\\\" at position 2/],
    ['a line break, escaped in the error', 'a\nb', /^"a\\nb" is not a valid TaskID: it contains "\\n" at position 1/],
    ['DEL', 'a\u007f', /at position 1/],
    ['half of a surrogate pair, which encoding would replace', 'a\ud800', /at position 1/],
    ['more than 255 bytes', 'x'.repeat(256), /is 256 bytes long; expected 1 to 255 bytes/],
    ['more than 255 bytes in fewer characters', 'π'.repeat(128), /is 256 bytes long/],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => TaskID(text)).to.throw(InvalidIdError, message);
      expect(TaskID.is(text)).to.equal(false);
    });
  }

  it('names the kind of id and keeps what was given on the error', () => {
    try {
      AgentID('a/b');
      expect.fail('accepted');
    } catch (error) {
      expect(error).to.be.instanceOf(InvalidIdError).and.to.include({ kind: 'AgentID', given: 'a/b' });
    }
  });

  it('shortens a long text in the error', () => {
    expect(() => TaskID('x'.repeat(10_000))).to.throw(/^"x{77}\.\.\." is not/);
  });

  it('says no to what is not a string', () => {
    for (const value of [undefined, null, 1, {}, ['a']]) expect(TaskID.is(value)).to.equal(false);
  });

  it('accepts as update UUID only the text form in lower case', () => {
    expect(UpdateUUID('01234567-89ab-4cde-8f01-23456789abcd')).to.be.a('string');
    for (const text of ['', 'x', '01234567-89AB-4CDE-8F01-23456789ABCD', '0123456789ab4cde8f0123456789abcd']) {
      expect(() => UpdateUUID(text), text).to.throw(InvalidIdError, /expected a UUID/);
    }
  });

  it('never accepts what is unfit as a directory name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        if (!TaskID.is(text)) return;
        expect(text).to.not.match(/[\0/\\]/);
        expect(text).to.not.be.oneOf(['', '.', '..']);
        expect(Buffer.byteLength(text)).to.be.at.most(MAX_ID_BYTES);
      }),
    );
  });
});
