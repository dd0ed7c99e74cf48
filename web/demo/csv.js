// Reads the one kind of CSV that Acme takes, and says plainly what is wrong with any other.

export const HEADER = 'date,channel,revenue';

/**
 * @param {string} text
 * @returns {{ rows: import('./state.js').Row[] } | { fault: 'empty' } | { fault: 'header', found: string } | { fault: 'date' | 'number', line: number, found: string }}
 */
export function readCsv(text) {
  const [header, ...lines] = text.trim().split(/\r?\n/);
  if (!header) return { fault: 'empty' };
  if (header.replaceAll(' ', '') !== HEADER) return { fault: 'header', found: header };
  const rows = [];
  for (const [index, line] of lines.entries()) {
    const [date = '', channel = '', revenue = ''] = line.split(',').map((cell) => cell.trim());
    if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date))) return { fault: 'date', line: index + 2, found: date };
    if (!revenue || Number.isNaN(Number(revenue))) return { fault: 'number', line: index + 2, found: revenue };
    rows.push({ date, channel, revenue: Number(revenue) });
  }
  return rows.length ? { rows } : { fault: 'empty' };
}

/** Ten weeks of made-up sales, this week the last of them; the same figures at every call. */
export function sample() {
  const now = new Date();
  const monday = now.getUTCDate() - (now.getUTCDay() + 6) % 7;
  const lines = [HEADER];
  for (let week = 0; week < 10; week++) {
    const date = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), monday - 7 * (9 - week))).toISOString().slice(0, 10);
    for (const [index, channel] of ['Web', 'Partner', 'Retail'].entries()) {
      const revenue = 900 - 220 * index + week * (70 - 25 * index) + ((week * 37 + index * 53) % 11) * 9;
      lines.push(`${date},${channel},${revenue}`);
    }
  }
  return lines.join('\n');
}

/** The two mistakes that everybody makes once. */
export const badHeader = () => sample().replace(HEADER, 'Day;Channel;Amount');
export const badDates = () => sample().replaceAll(/(\d{4})-(\d\d)-(\d\d)/g, '$3/$2/$1');
