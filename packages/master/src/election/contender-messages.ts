import { message, type PID } from '@mezzo/process';
import { type Term, termSchema, wire } from '@mezzo/protocol';
import Type from 'typebox';

// Between a contender and its owner, who runs the master: both live in one runtime.

/** The contender has won: the owner starts a master with this term, and says so with Leads. */
export const Elected = message<{ readonly term: Term }>('contender.elected');

/** The reign of this term is over: the owner ends its master at once. The contender goes on contending for another. */
export const Deposed = message<{ readonly term: Term; readonly reason: string }>('contender.deposed');

/** The owner's answer to Elected: this process leads, by its exact address. From now on it is announced. */
export const Leads = message<{ readonly term: Term; readonly master: PID }>('contender.leads');

/** The owner's master has ended, or never began: leadership is given up. */
export const Resigns = message<{ readonly term: Term; readonly reason: string }>('contender.resigns');

/** A master to its owner: it has recovered the registry, and leads. */
export const MasterReady = message('master.ready', wire(Type.Object({ term: termSchema })));
