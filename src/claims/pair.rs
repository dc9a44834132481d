//! A key and its value on one line: "Status: done", "Audit log - done".

use super::sign::sign_before;
use super::words;

/// A key and where its value begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'t> {
    pub(super) key: &'t str,
    pub(super) value: usize,
}

/// Splits a text at its first colon, or at a dash after a short key.
pub(super) fn pair(text: &str) -> Option<Pair<'_>> {
    const LONGEST: usize = 80;
    let colon = text.match_indices(':').find(|(at, _)| {
        let rest = &text[at + 1..];
        rest.is_empty() || rest.starts_with([' ', '*', '_'])
    });
    let dash = [" - ", " – ", " — "]
        .into_iter()
        .filter_map(|dash| Some((text.find(dash)?, dash)));
    let dash = dash
        .min()
        .filter(|(at, _)| colon.is_none_or(|(colon, _)| at < &colon));
    let (at, separator) = match (dash, colon) {
        // A dash separates only what it would be odd to say otherwise: a state.
        (Some((at, dash)), _)
            if words::at_start(value_of(text, at + dash.len()).0).is_some()
                || sign_before(value_of(text, at + dash.len()).0).0.is_some() =>
        {
            (at, dash)
        }
        (_, Some((at, colon))) => (at, colon),
        _ => return None,
    };
    let key = text[..at].trim_matches(['*', '_', ' ']);
    let is_key = !key.is_empty() && key.len() <= LONGEST && !key.contains(". ");
    is_key.then(|| Pair {
        key,
        value: at + separator.len() + value_of(text, at + separator.len()).1,
    })
}

fn value_of(text: &str, from: usize) -> (&str, usize) {
    let value = text[from..].trim_start_matches([' ', '*', '_']);
    (value, text[from..].len() - value.len())
}
