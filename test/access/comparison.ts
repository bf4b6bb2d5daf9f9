/** Compares the access that the platform grants with the table. */
import type { Question } from './objects.ts';
import { people, allowedPersons, type Engine, type Person } from './table.ts';
import type { AccessWorld } from './world.ts';

/** Requests under way at once. */
const atOnceMax = 16;

/** A request and the users who are allowed it; `allowed` resolves to undefined if the matrix cannot make the request. */
export interface AccessCheck {
  readonly engine: Engine;
  /** Every one of these is needed. */
  readonly needs: readonly string[];
  readonly where: string;
  readonly allowed: () => Promise<readonly Person[] | undefined>;
}

/** What is not as the table says, as lines; what the table does not know is. */
export async function differences(all: readonly AccessCheck[]): Promise<readonly string[]> {
  if (all.length === 0) return ['nothing is served'];
  const problems: string[] = [];
  const left = all.values();
  const worker = async (): Promise<void> => {
    for (const { engine, needs, where, allowed } of left) {
      const expected = allowedPersons(engine, needs);
      const found = await allowed();
      const about = `${engine}: ${needs.join(' and ')} (${where})`;
      if (found === undefined) problems.push(`${about}: the matrix does not know how to ask it`);
      else if (expected === undefined) problems.push(`${about}: no row of test/access/table.ts knows it; let in ${listed(found)}`);
      else if (found.join() !== expected.join()) problems.push(`${about}: expected ${listed(expected)}; let in ${listed(found)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnceMax }, worker));
  return problems.toSorted();
}

const listed = (allowed: readonly Person[]): string => allowed.join(', ') || 'nobody';

/** Those of everybody for whom it is not refused. */
export async function allBut(isRefused: (person: Person) => Promise<boolean>): Promise<readonly Person[]> {
  const refused = await Promise.all(people.map(isRefused));
  return people.filter((_, index) => !refused[index]);
}

/** Sends a request as each user. An allowed request may still be refused for its contents. */
export function accessCheck({ sendAs }: AccessWorld, { engine, what, method, path, body, type }: Question): AccessCheck {
  const allowed = () =>
    allBut(async (person) => {
      const answer = await sendAs(person, method, path, body, type);
      if (answer.status !== 403) return answer.status === 401;
      return answer.json<{ details?: { code?: string } }>().details?.code === 'TAP_REQUEST_FORBIDDEN';
    });
  return { engine, needs: [what], where: `${method} ${path}`, allowed };
}
