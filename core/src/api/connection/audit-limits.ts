/** For so long requests of nobody are counted before audit is told the count. */
export const countMs = 600_000;
/** So many of an address, and of all addresses, are told one by one within that time. */
export const toldPerAddressMax = 20;
export const toldMax = 100;
/** Counts of addresses that are told apart; the rest is one count for each status. */
export const countsMax = 16;
/** How many requests a line stands for. */
export const countAnnotation = 'tappaas.dev/requests';
