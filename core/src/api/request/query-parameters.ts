import { apiErrors } from '../errors.js';

/** Returns the value of a parameter; undefined if absent. @throws TAP_REQUEST_PARAMETER_INVALID if it is given more than once */
export function textParameter(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw invalid(name, `given ${values.length} times, expected once`);
  return values[0];
}

/** Parses a boolean; an empty value means true, as for kube-apiserver. @throws TAP_REQUEST_PARAMETER_INVALID */
export function flagParameter(query: URLSearchParams, name: string): boolean {
  const value = textParameter(query, name)?.toLowerCase();
  if (value === undefined || value === '0' || value === 'false') return false;
  if (value === '' || value === '1' || value === 'true') return true;
  throw invalid(name, `expected true or false, found "${shown(value)}"`);
}

/** Parses a count. @throws TAP_REQUEST_PARAMETER_INVALID unless it is an integer between 0 and `max` */
export function countParameter(query: URLSearchParams, name: string, max: number): number | undefined {
  const value = textParameter(query, name);
  if (value === undefined || value === '') return undefined;
  const count = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(count) || count > max) throw invalid(name, `expected an integer from 0 to ${max}, found "${shown(value)}"`);
  return count;
}

/** Parses a choice. @throws TAP_REQUEST_PARAMETER_INVALID unless it is one of `choices` */
export function choiceParameter<const C extends string>(query: URLSearchParams, name: string, choices: readonly C[]): C | undefined {
  const value = textParameter(query, name);
  if (value === undefined || value === '') return undefined;
  const choice = choices.find((each) => each === value);
  if (choice === undefined) throw invalid(name, `expected ${choices.join(' or ')}, found "${shown(value)}"`);
  return choice;
}

export function invalid(name: string, problem: string): Error {
  return apiErrors.TAP_REQUEST_PARAMETER_INVALID({ message: `query parameter ${name}: ${problem}` });
}

function shown(value: string): string {
  return value.length > 40 ? `${value.slice(0, 40)}…` : value;
}
