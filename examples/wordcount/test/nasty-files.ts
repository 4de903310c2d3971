import type { TemporaryFolder } from './temporary-folder.ts';

const lateNul = Buffer.concat([
  Buffer.from('late nul '.repeat(1000)),
  Buffer.from('split\0here\0'),
  Buffer.from('end'),
]);

/** Text files that a careless pipeline stumbles over, by name. */
export const nastyFiles: readonly (readonly [name: string | Buffer, content: string | Buffer])[] = [
  ['no-newline', 'The last word has no newlin'],
  ['starts-with-letters', 'e, so this must not join it'],
  ['empty', ''],
  ['only-newlines', '\n\n\n'],
  ['no-words', '123 456 -- ++\n'],
  ['carriage-returns', 'one\r\ntwo\r\nThree\r'],
  ['late-nul', lateNul],
  ['not-utf8', Buffer.from([0x61, 0xff, 0x62, 0xe9, 0x63, 0x0a, 0xc3, 0x41])],
  ['umlauts', 'Straße Ünïcödé naïve e\u0301\n'],
  ['case', 'CASE Case case cAsE\n'],
  ['prototype', '__proto__ constructor hasOwnProperty toString\n'],
  ['long-word', `${'x'.repeat(3_000_000)} tail`],
  ['long-line', 'word '.repeat(200_000)],
  ['with space', 'spaces in names\n'],
  ['new\nline', 'newline in a name\n'],
  ['quote\'"`$(touch oops)', 'quotes in a name\n'],
  ['-rf', 'leading dash\n'],
  ['--help', 'leading dashes\n'],
  ['a=b', 'an assignment to awk\n'],
  ['back\\slash', 'backslash\n'],
  ['folder/.hidden', 'hidden file\n'],
  ['*', 'asterisk\n'],
  [Buffer.from([0x62, 0xff, 0xfe]), 'a name that is no text\n'],
];

export async function writeNastyFiles(folder: TemporaryFolder): Promise<void> {
  for (const [name, content] of nastyFiles) await folder.write(name, content);
}
