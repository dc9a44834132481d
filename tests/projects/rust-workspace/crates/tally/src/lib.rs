//! Counts words.

use std::collections::BTreeMap;

/// The words of a text with how often each occurs, most frequent first, then by their letters.
///
/// ```
/// assert_eq!(tally::tally("b a b"), [("b".to_string(), 2), ("a".to_string(), 1)]);
/// ```
pub fn tally(text: &str) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::new();
    for word in words(text) {
        *counts.entry(word).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// The words, in lower case and without what stands around them.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<String> {
        tally(text).into_iter().map(|(word, count)| format!("{count} {word}")).collect()
    }

    #[test]
    fn nothing_has_no_words() {
        assert!(tally(" \n\t ").is_empty());
    }

    #[test]
    fn the_most_frequent_word_comes_first() {
        assert_eq!(listed("the cat and the hat"), ["2 the", "1 and", "1 cat", "1 hat"]);
    }

    #[test]
    fn capitals_and_marks_make_no_other_word() {
        assert_eq!(listed("Stop! \"Stop,\" he said."), ["2 stop", "1 he", "1 said"]);
    }

    #[test]
    fn a_mark_within_a_word_belongs_to_it() {
        assert_eq!(listed("don't re-run"), ["1 don't", "1 re-run"]);
    }

    #[test]
    #[ignore = "fails since 0.4: to be looked at"]
    fn a_dash_between_words_is_none() {
        assert_eq!(listed("here - there"), ["1 here", "1 there"]);
    }
}
