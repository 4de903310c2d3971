/** In the order in which they came. */
export default (): object => {
  const clients = new Map<string, boolean>();
  return {
    add: (client: string) => void clients.set(client, false),
    remove: (client: string) => void clients.delete(client),
    has: (client: string) => clients.has(client),
    activate: (client: string) => void clients.set(client, true),
    deactivate: (client: string) => void clients.set(client, false),
    updateWeight: () => {},
    allocated: () => {},
    unallocated: () => {},
    updated: () => {},
    share: () => 0,
    sort: () => [...clients].flatMap(([client, isActive]) => (isActive ? [client] : [])),
  };
};
