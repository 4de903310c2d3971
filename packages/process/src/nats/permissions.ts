import { ProcessError } from '../errors.ts';
import { checkNodeName } from '../pid.ts';
import { checkDoor, checkNotDoors, doorToken } from '../transport.ts';
import { checkPrefix } from './nats-options.ts';

/** How a server recognizes a user: by the public key of an nkey (`U…`), or by a password, which may be a bcrypt hash. */
export type NatsIdentity =
  | { readonly nkey: string }
  | {
      /** Default: the name of the node or caller. */
      readonly user?: string;
      readonly password: string;
    };

/** What a node is for, and so what its user may do; nothing else. */
export interface NodeGrant {
  readonly name: string;
  /** Nodes it may send to. Default: all. */
  readonly peers?: readonly string[];
  /** Topics it may announce on: words joined by dots, `*` for any one word, or a last `>` for all that begin so. Default: none. */
  readonly announces?: readonly string[];
  /** Topics it may hear, written the same way. Default: none. */
  readonly listens?: readonly string[];
  /** Doors it may open, and so answer at. Default: none. */
  readonly opens?: readonly string[];
}

/** Somebody who is no node and asks at doors. Its client has to use the inbox prefix `_INBOX_<name>`. */
export interface CallerGrant {
  readonly name: string;
  /** Doors it may send to. */
  readonly doors: readonly string[];
}

export interface Grants<Node extends NodeGrant = NodeGrant, Caller extends CallerGrant = CallerGrant> {
  /** As in NatsOptions. Default `mezzo`. */
  readonly prefix?: string;
  readonly nodes: readonly Node[];
  readonly callers?: readonly Caller[];
}

/** Permissions in the form that a user's JWT carries under `nats`. */
export interface NatsPermissions {
  readonly pub: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly sub: { readonly allow: readonly string[] };
}

/**
 * What each node and caller may publish and subscribe to, by name: for user JWTs, or whatever else makes a server's
 * configuration. Throws PERMISSION_INVALID, NODE_NAME_INVALID, DOOR_NAME_INVALID or TRANSPORT_OPTION_INVALID.
 */
export function permissionsOf(grants: Grants): ReadonlyMap<string, NatsPermissions> {
  return new Map(granted(grants).map(([who, permissions]) => [who.name, permissions]));
}

/**
 * The `authorization` block of a nats-server's configuration that confines each node and caller to what it is for. Throws as
 * `permissionsOf` does.
 */
export function permissionsFor(grants: Grants<NodeGrant & NatsIdentity, CallerGrant & NatsIdentity>): string {
  const taken = new Set<string>();
  const users = granted(grants).map(([who, { pub, sub }]) => {
    const identity = identityOf(who);
    if (taken.has(identity)) throw invalid(`the user of '${who.name}' for another one too`, 'a user for each');
    taken.add(identity);
    const secret = 'nkey' in who ? '' : `, password: ${quoted(who.password)}`;
    return `    # ${who.name}
    { ${identity}${secret}, permissions: {
        publish: { allow: ${list(pub.allow)}, deny: ${list(pub.deny)} },
        subscribe: { allow: ${list(sub.allow)} } } }`;
  });
  return `authorization {\n  users = [\n${users.join('\n')}\n  ]\n}\n`;
}

function granted<N extends NodeGrant, C extends CallerGrant>(
  grants: Grants<N, C>,
): (readonly [who: N | C, permissions: NatsPermissions])[] {
  const { nodes, callers = [] } = grants;
  const prefix = checkPrefix(grants.prefix ?? 'mezzo');
  const names = new Set<string>();
  for (const { name } of [...nodes, ...callers]) {
    if (names.has(name)) throw invalid(`'${name}' twice`, 'one grant per name');
    names.add(name);
  }
  return [
    ...nodes.map((node) => [node, ofNode(node, callers, prefix)] as const),
    ...callers.map((caller) => [caller, ofCaller(caller, prefix)] as const),
  ];
}

function ofNode(node: NodeGrant, callers: readonly CallerGrant[], prefix: string): NatsPermissions {
  const name = checkNode(node.name);
  const { peers = ['*'], announces = [], listens = [], opens = [] } = node;
  const mailboxes = peers.map((peer) => `${prefix}.${peer === '*' ? peer : checkNode(peer)}.${name}`);
  const doors = opens.map((door) => `${prefix}.${doorToken}.${checkDoor(door)}`);
  const inboxes = callers.filter((caller) => caller.doors.some((door) => opens.includes(door))).map(inboxOf);
  return {
    pub: {
      // Its own mailbox, where it claims its name. Not `allow_responses`: a node could send itself a message with any reply
      // subject it likes and would be permitted to publish there.
      allow: [...new Set([...mailboxes, `${prefix}.${name}.${name}`]), ...announces.map(topic(prefix)), ...inboxes],
      // A door of its own name would match the wildcard of the mailboxes.
      deny: [`${prefix}.${doorToken}.>`],
    },
    sub: { allow: [`${prefix}.${name}.*`, ...listens.map(topic(prefix)), ...doors] },
  };
}

function ofCaller(caller: CallerGrant, prefix: string): NatsPermissions {
  const doors = caller.doors.map((door) => `${prefix}.${doorToken}.${checkDoor(door)}`);
  // A server takes an empty list of what is allowed for no list, which allows everything.
  return { pub: { allow: doors, deny: doors.length === 0 ? ['>'] : [] }, sub: { allow: [inboxOf(caller)] } };
}

function inboxOf(caller: CallerGrant): string {
  return `_INBOX_${checkNode(caller.name)}.>`;
}

function checkNode(name: string): string {
  return checkNotDoors(checkNodeName(name));
}

function topic(prefix: string): (pattern: string) => string {
  return (pattern) => {
    if (!/^(?:>|(?:[A-Za-z0-9_-]+|\*)(?:\.(?:[A-Za-z0-9_-]+|\*))*(?:\.>)?)$/.test(pattern)) {
      throw invalid(
        `topic '${pattern}'`,
        "words of letters, digits, '-' and '_', or '*', joined by dots; '>' may be last",
      );
    }
    return `${prefix}.@.topic.${pattern}`;
  };
}

function identityOf(who: { readonly name: string } & NatsIdentity): string {
  if (!('nkey' in who)) return `user: ${quoted(who.user ?? who.name)}`;
  if (/^U[A-Z2-7]{55}$/.test(who.nkey)) return `nkey: ${who.nkey}`;
  // Not shown: somebody may have given the seed.
  throw invalid(`the nkey of '${who.name}'`, "the public key of a user, 'U' and 55 more characters");
}

/** Inside quotes the server's configuration knows these two escapes, and no reference to a variable. */
function quoted(text: string): string {
  if (text === '' || !/^[\x20-\x7e]+$/.test(text)) throw invalid('a user or password', 'printable ASCII characters');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function list(subjects: readonly string[]): string {
  return `[${subjects.map((subject) => `"${subject}"`).join(', ')}]`;
}

function invalid(given: string, expected: string): ProcessError {
  return new ProcessError('PERMISSION_INVALID', `Invalid permissions: got ${given}, expected ${expected}`);
}
