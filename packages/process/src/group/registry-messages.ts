import { message } from '../message.ts';
import type { PID } from '../pid.ts';
import { flag, list, record, schemaOf, text, whole } from '../shape.ts';

/** Longest name in UTF-16 units. */
export const longestName = 255;
/** Longest process id that another node may name. */
const longestId = 1024;
/** Most entries of one node, a bound on what a peer can make this one keep. */
export const mostEntries = 65_536;

// What a registry tells of members names their ids and generations only: their node is that of the sender, for whom the
// transport vouches, so no node can speak of another's processes.
const member = { name: text(longestName), id: text(longestId), generation: whole };

/** "Tell me your names, now and whenever they change." */
export const Follow = message('registry.follow', schemaOf(record({ protocol: whole })));
/** All names of the sender's node. */
export const State = message(
  'registry.state',
  schemaOf(record({ version: whole, entries: list(record(member), mostEntries) })),
);
/** One change to them; versions are consecutive. */
export const Change = message('registry.change', schemaOf(record({ version: whole, present: flag, ...member })));

/** What a subscriber hears: the members of a name on all nodes, at once and after changes. Inside a runtime only. */
export const Members = message<{ readonly name: string; readonly members: readonly PID[] }>('registry.members');
