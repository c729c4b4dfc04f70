// Where no page has all the words that were typed, show pages with some of them: most words first.
// The release notes have every word, and come last.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return; // not the page of the search
  const all = Search._performSearch;
  const notes = (result) => result[0] === "start/release_notes" && result[6] === "text";
  const last = (found) => [...found.filter(notes), ...found.filter((one) => !notes(one))];

  Search._performSearch = (query, words, excluded, highlight, objects) => {
    const found = all(query, words, excluded, highlight, objects);
    if (found.some((one) => !notes(one)) || words.size < 2) return last(found);
    const pages = new Map();
    for (const word of words) {
      const best = new Map(); // a page once a word
      for (const result of all(word, new Set([word]), excluded, highlight, new Set())) {
        const before = best.get(result[0]);
        if (!before || result[4] > before[4]) best.set(result[0], result);
      }
      for (const [page, result] of best) {
        const before = pages.get(page);
        // a further word counts for more than any score of one
        const score = before ? before[4] + 1000 + result[4] : result[4];
        pages.set(page, (before || result).with(4, score));
      }
    }
    return last([...pages.values()].sort((a, b) => a[4] - b[4])); // taken from the end
  };
});
