/** The role of resources that are reserved to nobody. */
export const UNRESERVED = '*';

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN_IN_ROLE = /[\t\n\v\f\r \u007f]/;

/** Resources of one role come together: most roles are the one that was judged last. */
let lastValid: string = UNRESERVED;

/** Says what is wrong with a role name by Mesos's rules, or undefined when it is valid. `*` is valid. */
export function roleFault(role: string): string | undefined {
  if (role === UNRESERVED || role === lastValid) return undefined;
  const fault = faultOf(role);
  if (fault === undefined) lastValid = role;
  return fault;
}

function faultOf(role: string): string | undefined {
  if (role === '') return 'a role must not be empty';
  if (role.startsWith('/') || role.endsWith('/')) return `role ${JSON.stringify(role)} must not begin or end with "/"`;
  if (FORBIDDEN_IN_ROLE.test(role)) return `role ${JSON.stringify(role)} must not contain white space or DEL`;
  for (const component of role.split('/')) {
    if (component === '') return `role ${JSON.stringify(role)} must not contain "//"`;
    if (component === '.' || component === '..' || component === UNRESERVED) {
      return `role ${JSON.stringify(role)} must not have ${JSON.stringify(component)} as a component`;
    }
    if (component.startsWith('-')) return `role ${JSON.stringify(role)} must not have a component that begins with "-"`;
  }
  return undefined;
}

/** True for `eng/web` below `eng`; false for a role and itself. */
export function isStrictSubrole(role: string, ancestor: string): boolean {
  return role.length > ancestor.length && role.startsWith(ancestor) && role[ancestor.length] === '/';
}
