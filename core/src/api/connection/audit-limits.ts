/** Interval over which requests of unauthenticated clients are counted before the count is audited. */
export const countMs = 600_000;
/** Maximum requests audited one by one within the interval, per address and of all addresses. */
export const auditedPerAddressMax = 20;
export const auditedMax = 100;
/** Maximum separate counts, by address and status; further addresses share one count per status. */
export const countsMax = 16;
/** Annotation with the number of requests that an event stands for. */
export const countAnnotation = 'tappaas.dev/requests';
