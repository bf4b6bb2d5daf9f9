/** What `npm run generate` writes to src/generated.ts. */
export function generate(): Promise<string>;
