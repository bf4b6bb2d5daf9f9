/** The metrics page of one process. */
export interface ProcessMetrics {
  readonly process: string;
  readonly text: string;
}

interface FamilyText {
  readonly head: string[];
  readonly samples: string[];
}

const headLine = /^# (?:HELP|TYPE) (?<name>\S+)/;
const sampleLine = /^(?<name>[A-Za-z_:][A-Za-z0-9_:]*)(?:\{(?<labels>.*)\})? (?<rest>\S.*)$/;

/**
 * Merges the pages of several processes: each sample is labeled with its process, and each family is described once.
 *
 * @source https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function mergedMetrics(pages: readonly ProcessMetrics[]): string {
  const families = new Map<string, FamilyText>();
  for (const { process, text } of pages) {
    const described = new Set([...families].filter(([, { head }]) => head.length > 0).map(([name]) => name));
    let family: FamilyText = { head: [], samples: [] };
    for (const line of text.split('\n')) {
      const name = headLine.exec(line)?.groups?.['name'];
      if (name !== undefined) {
        family = families.get(name) ?? { head: [], samples: [] };
        families.set(name, family);
        if (!described.has(name)) family.head.push(line);
      } else if (line !== '') family.samples.push(labelled(line, process));
    }
  }
  return [...families.values()]
    .flatMap(({ head, samples }) => [...head, ...samples])
    .map((line) => `${line}\n`)
    .join('');
}

function labelled(line: string, process: string): string {
  const { name = '', labels, rest = '' } = sampleLine.exec(line)?.groups ?? {};
  return `${name}{process="${process}"${labels ? `,${labels}` : ''}} ${rest}`;
}
