// A poll's result in words, most answers first.
export function bars(result) {
  const all = Object.values(result).reduce((sum, count) => sum + count, 0);
  return Object.entries(result)
    .sort(([, one], [, other]) => other - one)
    .map(([choice, count]) => `${choice}: ${count} (${all === 0 ? 0 : Math.round((100 * count) / all)} %)`);
}
