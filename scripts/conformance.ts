// npm run docs:conformance: writes docs/conformance.md from the titles of the tests.
import { writeFileSync } from 'node:fs';
import { table } from '../test/conformance/conformance.ts';

writeFileSync(new URL('../docs/conformance.md', import.meta.url), table());
