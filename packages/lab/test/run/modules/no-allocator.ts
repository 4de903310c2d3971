/** What it makes is no allocator. */
export default (): object => ({});
